"""The files of `records/`: read with one line about what is wrong with them, and written a row a line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from harness.records.provenance import without_unknown
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.structure import structure

T = TypeVar("T")

DIRECTORY = ROOT / "records"

WIDTH = 110
"""Characters of a line beyond which an object is written a field a line."""


def path(name: str) -> Path:
    """The file of the record called `name`."""
    return DIRECTORY / f"{name}.json"


@contextmanager
def reading(file: Path, command: str = "") -> Iterator[Any]:
    """The JSON content of a record, for a block that makes objects of it.

    `command` measures the record again. Raises PoolstartError if the file cannot be read, or the block meets
    a value that is missing or wrong.
    """
    with files.reading(file, f"restore it with git{command and f', or measure it with `{command}`'}"):
        yield json.loads(file.read_text(encoding="utf-8"))


def load(kind: type[T], file: Path, command: str = "") -> T | None:
    """The record as an object of this type; None if there is none. Raises as `reading` does."""
    if not file.exists():
        return None
    with reading(file, command) as content:
        return structure(kind, content)


def save(file: Path, record: Any) -> None:
    """Replace a record by a dataclass. Raises as `write` does."""
    write(file, asdict(record))


def write(file: Path, content: Any) -> None:
    """Replace a record. Raises PoolstartError if it cannot be written, or would lose all it has.

    The old file is intact then.
    """
    if not content and file.exists():
        with reading(file) as stored:
            kept = bool(stored)
        if kept:
            raise PoolstartError(f"nothing was measured, so {files.shown(file)} is kept", "measure it again")
    files.write(file, dumps(without_unknown(content)) + "\n")


def dumps(content: Any, depth: int = 0) -> str:
    """JSON that line-based tools can compare: a line for each row of a list, and for each field of an object
    that is longer than `WIDTH`.
    """
    line = json.dumps(content)
    if not content or (depth and len(line) <= WIDTH):
        return line
    if isinstance(content, list) and not isinstance(content[0], list | dict):
        return line
    indent = " " * (depth + 1)
    if isinstance(content, list):
        rows = [f"{indent}{json.dumps(element)}" for element in content]
        return "[\n" + ",\n".join(rows) + f"\n{' ' * depth}]"
    if isinstance(content, dict):
        fields = [f"{indent}{json.dumps(name)}: {dumps(value, depth + 1)}" for name, value in content.items()]
        return "{\n" + ",\n".join(fields) + f"\n{' ' * depth}}}"
    return line
