"""Hangs by stack: the frames in which workers waited in recorded trials, with the hazard of each.

`py-spy dump --pid PID` prints the stack of a hung worker, innermost frame first; its first lines name the
hazard.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.table import VerdictTable

FRAME = re.compile(r"(?P<file><[^>]+>|[\w./]+), line \d+ in (?P<function>\w+)")
"""The innermost frame, as a trial's worker reports it (`harness.hazards.inside.handle.Hung`)."""

CALLER = re.compile(r"\b([\w/]+\.py): ")
"""The file of the function that called it, where a reproduction names it before the innermost frame."""

STANDARD_LIBRARY = re.compile(r"^lib/python[\d.]+/")

OWN = "harness/"
"""The folder of reproductions; their files stand for a program's own. Some records have only file names."""


@dataclass(frozen=True)
class WaitingStack:
    """The frames in which the workers of a hazard wait, as recorded."""

    hazard: str
    function: str
    """The innermost function."""
    file: str
    """The file of that function; empty if it is the program's own code."""
    caller: str = ""
    """The file of the function that called it, if the trial named it."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The innermost lines of `py-spy dump`, without line numbers."""
        first = f"{self.function} ({self.file})" if self.file else ""
        return tuple(filter(None, (first, self.caller)))

    @property
    def phrases(self) -> tuple[str, ...]:
        """The phrases that identify the stack in a dump of py-spy, faulthandler or gdb.

        Empty for a program's own code. A frame in `threading.py` alone identifies nothing, since every thread
        that waits has one.
        """
        if self.caller:
            return (self.caller, self.caller.partition("/")[2])
        if not self.file:
            return ()
        return (f"{self.function} ({self.file}", f'{self.file}", line in {self.function}')


def recorded(tables: Mapping[str, VerdictTable]) -> tuple[WaitingStack, ...]:
    """The distinct stacks of all recorded trials in which a worker waited, in the order of the record.

    Some records have only the name of a file, so the longest path of each frame is kept.
    """
    longest: dict[tuple[str, str], WaitingStack] = {}
    for table in tables.values():
        for stack in (each for part in table.parts for outcome in part.outcomes for each in waiting(outcome)):
            known = longest.setdefault((stack.hazard, stack.function), stack)
            if len(stack.file) > len(known.file):
                longest[stack.hazard, stack.function] = stack
    return tuple(longest.values())


def waiting(outcome: Outcome) -> Iterator[WaitingStack]:
    """The stacks of workers that waited in a trial."""
    if outcome.verdict is not Verdict.AFFECTED:
        return
    for event in outcome.story:
        frame = FRAME.search(event.what)
        if event.who == "worker" and frame:
            file = STANDARD_LIBRARY.sub("", frame["file"])
            caller = CALLER.search(event.what)
            yield WaitingStack(
                outcome.hazard,
                frame["function"],
                "" if file.startswith(OWN) or file == f"{outcome.hazard}.py" else file,
                caller[1] if caller else "",
            )
