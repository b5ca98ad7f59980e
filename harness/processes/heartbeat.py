"""The progress of a benchmark process, whose time limit counts only the time without progress.

The process writes each step to a file, and the process that waits for it sees that the file has changed.
"""

import os
from pathlib import Path

FILE = "POOLSTART_RUN_PROGRESS"
"""Environment variable, internal: the file that the steps are written to."""


def beat(step: str) -> None:
    """Report the beginning or end of a step; without a file, do nothing."""
    if path := os.environ.get(FILE):
        Path(path).write_text(step)


class Heartbeat:
    """The steps of another process, as it reports them in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._changed()

    def new(self) -> bool:
        """Whether a step has been reported since the last call, or since this object was made."""
        before, self._seen = self._seen, self._changed()
        return self._seen != before

    def last(self) -> str:
        """The last step; empty if none was reported since this object was made."""
        return self._path.read_text() if self._path.exists() else ""

    def _changed(self) -> int:
        return self._path.stat().st_mtime_ns if self._path.exists() else 0
