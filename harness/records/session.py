"""The finished parts of a measurement that was interrupted: the same command continues with them."""

import json
from collections.abc import Mapping
from typing import Any

from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

DIRECTORY = ROOT / ".asv" / "record"


class Parts:
    """The finished parts of a measurement, by key, in memory."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}

    def add(self, key: str, part: Any) -> None:
        """Keep a part: what JSON can hold."""
        self.parts[key] = part


class RecordingSession(Parts):
    """The finished parts of one measurement, by key, in a file of lines of JSON.

    `conditions` are what all parts have in common, such as the server. Raises PoolstartError if the file
    was begun under others, unless `fresh` discards it.
    """

    def __init__(self, name: str, conditions: Mapping[str, str], *, fresh: bool = False) -> None:
        super().__init__()
        self.path = DIRECTORY / f"{name}.jsonl"
        if fresh:
            self.path.unlink(missing_ok=True)
        if self.path.exists():
            self._resume(dict(conditions))
        else:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            files.write(self.path, f"{json.dumps(dict(conditions))}\n")

    def _resume(self, conditions: dict[str, str]) -> None:
        with files.reading(self.path, "discard it with --fresh"):
            first, *lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            begun = dict(json.loads(first))
            # The last line may be incomplete: the interruption fell into writing it.
            whole = [line for line in lines if line.endswith("\n")]
            self.parts = dict(json.loads(line) for line in whole)
        for name in begun.keys() | conditions.keys():
            if begun.get(name) != conditions.get(name):
                raise PoolstartError(
                    f"the measurement in {files.shown(self.path)} was begun with {name} {begun.get(name)},"
                    f" and this is {conditions.get(name)}",
                    "continue it as it was begun, or discard it with --fresh",
                )
        if len(whole) < len(lines):
            files.write(self.path, "".join([first, *whole]))

    def add(self, key: str, part: Any) -> None:
        """Keep a part. It is in the file when this returns."""
        super().add(key, part)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([key, part]) + "\n")

    def close(self) -> None:
        """Remove the file: everything is measured and on record."""
        self.path.unlink(missing_ok=True)
