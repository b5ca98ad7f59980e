"""A session that measures the history: all releases, block by block.

A pass visits all releases in random order and measures one block of each: a busy quarter of an hour is spread
over all of them, instead of falling on neighbours. Every block is written to a file as soon as it is
measured, so an interrupted session resumes after the last complete block. At the end `asv run` stores the
results: it reads the blocks instead of measuring.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from asv.machine import Machine

from harness.console.progress import Pace
from harness.lifecycles import asv_run, metrics
from harness.lifecycles.blocks import VERSION, Block, MeasuredRun, mark_noisy
from harness.lifecycles.plan import Plan, cells_of
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.releases import interpreters
from harness.releases.catalogue import Release
from harness.system import files, locks
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.structure import structure

DIRECTORY = ROOT / ".asv" / "history"

BLOCK_SECONDS = 12.0
"""The duration of a block, until one has been timed."""

MAX_REPEATED = 0.1
"""The share of a pass's blocks that may be repeated because they are noisy."""


@dataclass(frozen=True)
class PlannedBlock:
    """One block of a session: of a release, in a pass."""

    release: str
    number: int
    """Of the pass, from 1."""
    repeated: bool = False
    """Whether it replaces a noisy block of the same pass."""

    @property
    def file(self) -> str:
        return f"{self.number}{'-again' if self.repeated else ''}.json"


class HistorySession:
    """The blocks of a session, in a folder of files."""

    def __init__(self, directory: Path, releases: Sequence[Release], passes: int) -> None:
        self.directory = directory
        self.releases = [release.version for release in releases]
        self.passes = passes

    def begin(self, conditions: dict[str, Any]) -> None:
        """Record the conditions of a new session.

        Raises `PoolstartError` if the session was begun under other conditions.
        """
        path = self.directory / "conditions.json"
        if not path.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            write(path, conditions)
            return
        with files.reading(path, "begin a new one with --fresh"):
            begun = dict(json.loads(path.read_text()))
        for name, value in begun.items():
            if conditions.get(name) != value:
                raise PoolstartError(
                    f"the history in {files.shown(self.directory)} was begun with {name} {value}, "
                    f"and this is {conditions.get(name)}",
                    "continue it as it was begun, or begin a new one with --fresh",
                )

    def planned(self) -> Iterator[PlannedBlock]:
        """The blocks that are not measured yet, in order; noisy blocks are repeated at the end of a pass."""
        for number in range(1, self.passes + 1):
            order = list(self.releases)
            random.Random(number).shuffle(order)
            for release in order:
                if not self._path(planned := PlannedBlock(release, number)).exists():
                    yield planned
            yield from self._repeated(number, order)

    def _repeated(self, number: int, order: Sequence[str]) -> Iterator[PlannedBlock]:
        blocks = self.blocks()
        noisy = [
            repeated
            for release in order
            for planned, block in blocks.get(release, [])
            if planned == PlannedBlock(release, number) and block.noise
            if not self._path(repeated := replace(planned, repeated=True)).exists()
        ]
        yield from noisy[: round(MAX_REPEATED * len(order))]

    def remaining(self) -> int:
        """The number of blocks that are not measured yet, without repeated ones."""
        return sum(
            not self._path(PlannedBlock(release, number)).exists()
            for number in range(1, self.passes + 1)
            for release in self.releases
        )

    def save(self, planned: PlannedBlock, measured: MeasuredRun) -> None:
        """Write a block to its file."""
        path = self._path(planned)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, asdict(measured))

    def blocks(self) -> dict[str, list[tuple[PlannedBlock, Block]]]:
        """All measured blocks by release, in the order of the passes; those that are noisy are marked."""
        measured = [
            (planned, self._load(planned))
            for release in self.releases
            for number in range(1, self.passes + 1)
            for planned in (PlannedBlock(release, number), PlannedBlock(release, number, repeated=True))
            if self._path(planned).exists()
        ]
        marked = mark_noisy([run.blocks[0] for _, run in measured])
        by_release: dict[str, list[tuple[PlannedBlock, Block]]] = {}
        for (planned, _), block in zip(measured, marked, strict=True):
            by_release.setdefault(planned.release, []).append((planned, block))
        return by_release

    def runs(self) -> dict[str, MeasuredRun]:
        """The blocks of each release so far, as one run would have measured them.

        Raises `PoolstartError` if the file of a block is damaged.
        """
        runs = {}
        for release, blocks in self.blocks().items():
            first = self._load(blocks[0][0])
            run = MeasuredRun(first.release, first.server, facts=first.facts, min_quiet=self.passes)
            for planned, block in blocks:
                part = self._load(planned)
                run.blocks.append(block)
                run.rejected |= part.rejected
                run.not_applicable |= part.not_applicable
            runs[release] = run
        return runs

    def _path(self, planned: PlannedBlock) -> Path:
        return self.directory / planned.release / planned.file

    def _load(self, planned: PlannedBlock) -> MeasuredRun:
        path = self._path(planned)
        with files.reading(path, "remove it, and it is measured again"):
            return structure(MeasuredRun, json.loads(path.read_text()))


def conditions(server: Server, profile: Profile) -> dict[str, Any]:
    """What must be the same for all blocks of a session."""
    machine = Machine.get_defaults()
    return {
        "instrument": VERSION,
        "server": server.identity,
        "profile": profile.name,
        "python": sys.version.split()[0],
        **{name: machine[name] for name in ("machine", "cpu", "num_cpu", "ram", "os")},
    }


def measure(
    session: HistorySession,
    server: Server,
    profile: Profile,
    report: Callable[[str], None],
    *,
    budget: float = inf,
) -> None:
    """Measure the blocks that are missing; starts none after `budget` seconds."""
    began, pace = time.monotonic(), Pace(BLOCK_SECONDS)
    for planned in session.planned():
        if time.monotonic() - began > budget:
            return
        left = session.remaining()
        report(f"pass {planned.number}, {planned.release}, {left} blocks left, {pace.left(left)}")
        with Supervision() as supervision:
            plan_of_block = Plan(
                cells_of(profile),
                server,
                profile,
                supervision,
                release=planned.release,
                python=interpreters.of_release(planned.release),
            )
            plan_of_block.block(planned.number * 1000 + session.releases.index(planned.release))
            session.save(planned, plan_of_block.measured)
        pace.step()


def file(session: HistorySession) -> int:
    """Store the results of a session by `asv run`, and return its exit status.

    Raises `PoolstartError` if nothing has been measured.
    """
    runs = session.runs()
    if not runs:
        raise PoolstartError("nothing has been measured yet", "measure with `poolstart record history`")
    folder = session.directory / "filed"
    folder.mkdir(exist_ok=True)
    for release, run in runs.items():
        write(folder / f"{release}.json", asdict(run))
    files.write(folder / "releases", "\n".join(runs))
    modules = "|".join(metrics.benchmark_modules())
    done = subprocess.run(
        [sys.executable, "-m", "asv", "run", "-b", f"^({modules})[.]", f"HASHFILE:{folder / 'releases'}"],
        cwd=ROOT,
        env={**os.environ, asv_run.HISTORY: str(folder), **locks.inherited(locks.RESULTS)},
        check=False,
    )
    return done.returncode


def write(path: Path, content: dict[str, Any]) -> None:
    files.write(path, json.dumps(content))
