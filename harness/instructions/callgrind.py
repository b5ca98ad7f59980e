"""valgrind's callgrind: the command that counts a program's instructions, and what it writes.

Source of the format: https://valgrind.org/docs/manual/cl-format.html
"""

import re
import shlex
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.processes.errors import NotApplicable

MARK = "getsid"
"""The C function at whose calls a profile ends and the next one begins."""

INSTALL = "install it with `apt-get install valgrind` or `dnf install valgrind`"

FUNCTION = re.compile(r"(c?)fn=\((\d+)\)(?: (.*))?")

COST = frozenset("0123456789+-*")
"""How a line with a number of instructions begins."""

LOOKUP = ("_PyType_Lookup", "find_name_in_mro")
"""CPython's function that looks an attribute up in the cache, and the one that searches for it otherwise."""


def require() -> str:
    """The path of valgrind. Raises `NotApplicable` with the command that installs it."""
    if not (valgrind := shutil.which("valgrind")):
        raise NotApplicable(f"instructions are counted by valgrind, which is not installed: {INSTALL}")
    return valgrind


def script(python: Path, profiles: Path, log: Path) -> str:
    """A shell script that runs `python` under callgrind without randomized addresses.

    Its profiles are the files `profiles`.1, `profiles`.2 ...
    """
    command = [
        "setarch", "-R", require(), "--tool=callgrind", "--vgdb=no", "--dump-line=no",
        f"--log-file={log}", f"--callgrind-out-file={profiles}", f"--dump-before={MARK}", str(python),
    ]  # fmt: skip
    return f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'


def vectors() -> str:
    """The widest vector instructions that a program has under valgrind here, such as ` avx2`."""
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    names = flags[1].split() if flags else []
    return next((f" {name}" for name in ("avx2", "avx", "sse4_2") if name in names), "")


def parts(profiles: Path) -> Iterator[Path]:
    """The files of the profiles, in the order in which they were written."""
    number = 1
    while (path := profiles.with_name(f"{profiles.name}.{number}")).exists():
        yield path
        number += 1


@dataclass(frozen=True)
class ProfilePart:
    """The instructions of one profile."""

    functions: Counter[str]
    """By C function, without those of the functions that it calls."""
    lookups: int
    """Those of searches for an attribute that the interpreter's cache of attributes did not have.

    The place of an entry in that cache follows from the address of the attribute's name: which entries
    displace each other changes with every object made before, and changes a phase by up to a hundredth.
    """

    @property
    def instructions(self) -> int:
        """All but `lookups`."""
        return self.functions.total() - self.lookups


def read(lines: Iterable[str]) -> ProfilePart:
    """The instructions of one profile."""
    names: dict[str, str] = {}
    costs: Counter[str] = Counter()
    caller = callee = ""
    lookups, called = 0, False
    for line in lines:
        if found := FUNCTION.match(line):
            is_callee, number, text = found.groups()
            # The same function has several names if it calls itself: `name`, `name'2`.
            name = names.setdefault(number, text.partition("'")[0]) if text else names[number]
            caller, callee = (caller, name) if is_callee else (name, callee)
        elif line.startswith("calls="):
            called = True
        elif line[0] in COST:
            # A position, and behind it a number of instructions.
            number_of = int(line.split()[1])
            if not called:
                costs[caller] += number_of
            elif (caller, callee) == LOOKUP:
                lookups += number_of
            called = False
    return ProfilePart(costs, lookups)
