"""The Python code that pages tell people to copy."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness import drivers
from harness.system.environment import ROOT, environment

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

DEADLINE_S = 300.0

PROGRAM = "program.py"

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

NAMED = re.compile(r"# ([\w/]+\.py)\n")
"""The first line of a block that is a module of this name."""


@dataclass(frozen=True)
class Snippet:
    """A program as a page shows it, with the modules that precede it there."""

    place: str
    files: tuple[tuple[str, str], ...]
    """Name and text."""

    def __str__(self) -> str:
        return self.place

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.files)


def blocks(path: Path) -> list[str]:
    """The Python code of a document, block by block."""
    return BLOCK.findall(path.read_text())


def snippets(path: Path) -> list[Snippet]:
    """The programs of a document. Modules without a program, and lines to add to a program, are left out."""
    found: list[Snippet] = []
    modules: list[tuple[str, str]] = []
    for block in blocks(path):
        if named := NAMED.match(block):
            modules.append((named[1], block))
        elif is_complete(block):
            found.append(Snippet(f"{path.name}-{len(found) + 1}", (*modules, (PROGRAM, block))))
            modules = []
    return found


def is_complete(block: str) -> bool:
    """Whether a block is a program; the others are lines to add to one, or modules."""
    return "import multiprocessing\n" in block


def run(
    snippet: Snippet, directory: Path, url: str, python: str | Path = sys.executable
) -> "subprocess.CompletedProcess[str]":
    """Run a program as a file of its own, with `url` in place of the page's; a warning is an error."""
    for name, text in snippet.files:
        (directory / name).write_text(text.replace(drivers.URL, url))
    return started(directory, python, "-W", "error", PROGRAM)


def started(directory: Path, python: str | Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run an interpreter with these arguments, the first of which may be a file of the directory."""
    return subprocess.run(
        [python, *arguments],
        cwd=directory,
        # As for a script of the user, its directory is where modules are found.
        env={**environment(directory), "TMPDIR": str(directory)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


URL = re.compile(r"postgres(?:ql)?://")

EXPLAINED = re.compile(r"psycopg 3|libpq")


def urls_without_a_driver(text: str) -> list[str]:
    """Lines with a URL whose driver depends on the SQLAlchemy release, unless they or a neighbour say so."""
    lines = text.splitlines()
    return [
        line
        for number, line in enumerate(lines)
        if URL.search(line) and not EXPLAINED.search(" ".join(lines[max(0, number - 1) : number + 2]))
    ]


def drivers_not_preloaded(text: str) -> list[str]:
    """The drivers in the URLs of a program whose fork server preloads modules, but not theirs."""
    if "set_forkserver_preload" not in text:
        return []
    return [
        name
        for name in set(re.findall(r"postgresql\+(\w+)://", text))
        if not re.search(rf"sqlalchemy\.dialects\.postgresql\.{name}\b", text)
        or not re.search(rf"(?:\"|import ){name}\b", text)
    ]
