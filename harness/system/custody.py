"""Custody: every process and directory of a run has an owner, and none outlives it.

The owner cleans up when it closes its custody (or leaves, `atexit`). When the owner cannot (it was
killed), a guardian process notices the end of its pipe and does the same. The two watch the same
things, so the death of any one process of a run leaves nothing behind.
"""

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.system import guardian


class Custody:
    """Process groups and directories that end with their owner.

    A context manager; `close` may be called any number of times. Groups are sent the signal they
    were started with, and SIGKILL after `guardian.GRACE` seconds.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._processes: dict[subprocess.Popen[Any], str] = {}
        self._directories: set[str] = set()
        self._guardian: subprocess.Popen[str] | None = None
        atexit.register(self.close)

    def __enter__(self) -> "Custody":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def directory(self, prefix: str = "poolstart-") -> Path:
        """A new private directory, removed at the end."""
        path = tempfile.mkdtemp(prefix=prefix)
        self._directories.add(path)
        self._tell(f"hold directory {path}")
        return Path(path)

    def start(
        self, command: Sequence[str | Path], *, end: str = "SIGKILL", **options: Any
    ) -> "subprocess.Popen[Any]":
        """Start `command` as leader of a session and process group of its own."""
        # The guardian runs before the process does: there is no moment in which nobody owns it.
        self._tell()
        process = subprocess.Popen(list(map(str, command)), start_new_session=True, **options)
        self.adopt(process, end=end)
        return process

    def adopt(self, process: "subprocess.Popen[Any]", *, end: str = "SIGKILL") -> None:
        """Take over a process that someone else started as leader of a process group."""
        self._processes[process] = end
        self._tell(f"hold group {process.pid} {end}")

    def stop(self, process: "subprocess.Popen[Any]") -> None:
        """End one process with everything in its group, and reap it."""
        end = self._processes.pop(process, None)
        if end is None:
            return
        self._end({process: end}, set())
        self._tell(f"drop group {process.pid}")

    def remove(self, directory: Path) -> None:
        """Remove one directory of this custody."""
        shutil.rmtree(directory, ignore_errors=True)
        self._directories.discard(str(directory))
        self._tell(f"drop directory {directory}")

    def close(self) -> None:
        """End everything held; nothing happens in a forked copy of the owner."""
        atexit.unregister(self.close)
        if os.getpid() != self._owner:
            return
        processes, self._processes = self._processes, {}
        directories, self._directories = self._directories, set()
        self._end(processes, directories)
        if self._guardian is not None:
            for process in processes:
                self._tell(f"drop group {process.pid}")
            assert self._guardian.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self._guardian.stdin.close()
            self._guardian.wait()
            self._guardian = None

    @staticmethod
    def _end(processes: "dict[subprocess.Popen[Any], str]", directories: set[str]) -> None:
        groups = {process.pid: end for process, end in processes.items()}
        if processes or directories:
            guardian.end(groups, directories, reap=[process.poll for process in processes])
        for process in processes:
            process.wait()

    def _tell(self, line: str = "") -> None:
        """Pass a line to the guardian, starting it when it is first needed."""
        if self._guardian is None:
            self._guardian = subprocess.Popen(
                [sys.executable, "-I", "-S", guardian.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                text=True,
                bufsize=1,
                start_new_session=True,
            )
        if line:
            assert self._guardian.stdin is not None
            # A guardian that was killed is no loss: the owner is alive and cleans up itself.
            with contextlib.suppress(BrokenPipeError):
                self._guardian.stdin.write(line + "\n")
