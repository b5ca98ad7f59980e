"""The instructions of one spawned worker with one release."""

import json
import platform
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

from harness.instructions import callgrind, place
from harness.instructions.messages import CountOrder, CountParentReport, WorkerCountReport
from harness.postgres.server import Server
from harness.processes.child import Child
from harness.processes.errors import ChecksFailed, NotApplicable
from harness.processes.supervision import Supervision

VERSION = "1"
"""Changes whenever the counted steps change."""

PHASES = ("start", "engine", "first_query", "second_query")

STRATEGY = "spawn"

APPLICATION = "poolstart-instructions"

TOKEN = "token"

DEADLINE_S = 600.0
"""Seconds for a counted worker: about 25 on an idle processor."""

PHASE_ENDS = ""
"""The mark at the end of a phase, among those of imports."""

REST = "interpreter and multiprocessing"
"""What is counted while no import is under way."""


@dataclass(frozen=True)
class Build:
    """What two counts must have in common to be compared, besides the release."""

    version: str
    """`VERSION`."""
    python: str
    """Version, build and compiler of the interpreter."""
    libc: str
    machine: str
    """The architecture, and the vector instructions for which the C library has functions."""
    valgrind: str
    psycopg2: str
    server: str
    """The server's identity."""

    @classmethod
    def of(cls, python: str, psycopg2: str, server: Server) -> "Build":
        valgrind = subprocess.run(
            [callgrind.require(), "--version"], capture_output=True, text=True, check=True
        )
        return cls(
            version=VERSION,
            python=" ".join(python.split()),
            libc=" ".join(platform.libc_ver()),
            machine=f"{platform.machine()}{callgrind.vectors()}",
            valgrind=valgrind.stdout.strip().removeprefix("valgrind-"),
            psycopg2=psycopg2,
            server=server.identity,
        )

    def differences(self, other: "Build") -> list[str]:
        """What differs, as `python 3.11.7 instead of 3.11.8`."""
        ours, theirs = asdict(self), asdict(other)
        return [
            f"{name} {ours[name]} instead of {theirs[name]}" for name in ours if ours[name] != theirs[name]
        ]


@dataclass(frozen=True)
class InstructionCount:
    """The instructions of one worker."""

    release: str
    python: str
    c_extensions: bool
    build: Build
    phases: dict[str, int]
    """Without `lookups`."""
    lookups: dict[str, int]
    """By phase: see `harness.instructions.callgrind.ProfilePart`."""
    functions: dict[str, dict[str, int]]
    """By phase and C function."""
    modules: dict[str, dict[str, int]]
    """By phase and the module whose import is under way; empty unless imports were marked."""


def count(
    server: Server,
    *,
    release: str,
    python: str | Path = sys.executable,
    strategy: str = STRATEGY,
    by_module: bool = False,
) -> InstructionCount:
    """Count one worker; with `by_module` another one whose imports are marked, which adds instructions.

    Raises `NotApplicable` without valgrind, or `PoolstartError` if the worker fails.
    """
    callgrind.require()
    if server.transport == "tls":
        raise NotApplicable("over TLS the number of instructions is random")
    what = f"counting the instructions of {strategy}"
    with Supervision() as supervision:
        where = place.make(supervision, Path(python))
        profiles, log = where.folder / "out" / "profile", where.folder / "out" / "log"
        script = where.folder / "bin" / "callgrind"
        script.write_text(callgrind.script(where.python, profiles, log))
        script.chmod(0o700)
        order: CountOrder = {
            "strategy": strategy,
            "url": server.sqlalchemy_url(APPLICATION),
            "token": TOKEN,
            "callgrind": str(script),
            "deadline": DEADLINE_S,
        }
        file = where.folder / "order"
        file.write_text(f"{json.dumps(order)}\n")
        variables = [f"{name}={value}" for name, value in where.variables.items()]
        module = "by_module" if by_module else "program"
        with file.open("rb") as stdin:
            child = Child(
                supervision,
                ["env", "-i", *variables, where.python, "-m", f"harness.instructions.inside.{module}"],
                directory=where.folder / "out",
                stdin=stdin,
            )
        child.wait(3 * DEADLINE_S, f"{what}: the parent")
        usual, counted = map(json.loads, child.output.read_text().splitlines())
        check(what, release, cast(CountParentReport, usual), cast(WorkerCountReport, counted))
        files = list(callgrind.parts(profiles))
        marks = counted["marks"]
        if len(files) != len(marks):
            raise ChecksFailed(f"{what}: {len(marks)} marks, but {len(files)} profiles")
        phases = attribute(files, marks)
    return InstructionCount(
        release=usual["sqlalchemy"],
        python=usual["python"].split()[0],
        c_extensions=usual["c_extensions"],
        build=Build.of(usual["python"], usual["psycopg2"], server),
        phases={name: phase.modules.total() for name, phase in phases.items()},
        lookups={name: phase.lookups for name, phase in phases.items()},
        functions={name: dict(phase.functions) for name, phase in phases.items()},
        modules={name: dict(phase.modules) for name, phase in phases.items()} if by_module else {},
    )


def check(what: str, release: str, usual: CountParentReport, counted: WorkerCountReport) -> None:
    """Raises `ChecksFailed` if one of the workers did not do what it should."""
    if usual["sqlalchemy"] != release:
        raise ChecksFailed(f"{what}: SQLAlchemy {usual['sqlalchemy']} is imported, not {release}")
    if usual["uncompiled"]:
        raise ChecksFailed(f"{what}: {usual['uncompiled']} modules have no bytecode on disk")
    if counted["recompiled"]:
        raise ChecksFailed(f"{what}: {counted['recompiled']} modules changed, and the worker compiled them")
    for name, report in (("usual", usual), ("counted", counted)):
        if report["outcome"] != "done" or report["exitcode"]:
            raise ChecksFailed(f"{what}: the {name} worker {report['outcome']}, status {report['exitcode']}")
        if [token for token, _ in report["rows"]] != [TOKEN, TOKEN]:
            raise ChecksFailed(f"{what}: the {name} worker returned other rows than its own")


@dataclass
class PhaseCount:
    """The instructions of one phase."""

    functions: Counter[str] = field(default_factory=Counter)
    """By C function."""
    modules: Counter[str] = field(default_factory=Counter)
    """By the module whose import is under way, or `REST`; without `lookups`."""
    lookups: int = 0


def attribute(files: list[Path], marks: list[str | None]) -> dict[str, PhaseCount]:
    """The instructions by phase; each file ends at a mark."""
    phases = {name: PhaseCount() for name in PHASES}
    names = iter(PHASES)
    phase = phases[next(names)]
    under_way = [REST]
    for file, mark in zip(files, marks, strict=True):
        with file.open(encoding="utf-8", errors="replace") as lines:
            part = callgrind.read(lines)
        phase.functions += part.functions
        phase.modules[under_way[-1]] += part.instructions
        phase.lookups += part.lookups
        if mark == PHASE_ENDS:
            phase = phases[next(names, PHASES[-1])]
        elif mark is None:
            under_way.pop()
        else:
            under_way.append(mark)
    return phases
