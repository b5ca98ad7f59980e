"""A session that measures the history: all releases, block by block.

A pass visits all releases in random order and measures one block of each: a busy quarter of an hour is spread
over all of them, instead of falling on neighbours. Every block is kept as soon as it is measured, so an
interrupted session resumes after the last complete block. At the end `asv run` stores the results: it reads
the blocks instead of measuring.
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

from harness.console.progress import Pace
from harness.lifecycles import asv_run, metrics
from harness.lifecycles.blocks import MeasuredRun, mark_noisy
from harness.lifecycles.cell import cells_of
from harness.lifecycles.plan import Plan
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.records.session import Parts
from harness.releases import interpreters
from harness.releases.catalogue import Release
from harness.system import files, locks
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.structure import structure

FILED = ROOT / ".asv" / "history"
"""The runs that `asv run` reads, a file for each release."""

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
    def key(self) -> str:
        """Of the part of the session that is this block."""
        return f"{self.release} {self.number}{' again' if self.repeated else ''}"


class HistorySession:
    """The blocks of a session; `kept` are those that are measured."""

    def __init__(self, kept: Parts, releases: Sequence[Release], passes: int) -> None:
        self.kept = kept
        self.releases = [release.version for release in releases]
        self.passes = passes

    def planned(self) -> Iterator[PlannedBlock]:
        """The blocks that are not measured yet, in order; noisy blocks are repeated at the end of a pass."""
        for number in range(1, self.passes + 1):
            order = list(self.releases)
            random.Random(number).shuffle(order)
            for release in order:
                if (planned := PlannedBlock(release, number)).key not in self.kept.parts:
                    yield planned
            yield from self._repeated(number, order)

    def _repeated(self, number: int, order: Sequence[str]) -> Iterator[PlannedBlock]:
        noisy = [
            again
            for planned, run in sorted(self.measured(), key=lambda item: order.index(item[0].release))
            if planned == PlannedBlock(planned.release, number) and run.blocks[0].noise
            if (again := replace(planned, repeated=True)).key not in self.kept.parts
        ]
        yield from noisy[: round(MAX_REPEATED * len(order))]

    def remaining(self) -> int:
        """The number of blocks that are not measured yet, without repeated ones."""
        return sum(
            PlannedBlock(release, number).key not in self.kept.parts
            for number in range(1, self.passes + 1)
            for release in self.releases
        )

    def measured(self) -> list[tuple[PlannedBlock, MeasuredRun]]:
        """Each block as a run of its own, by release in the order of the passes; noisy ones are marked."""
        found = [
            (planned, structure(MeasuredRun, self.kept.parts[planned.key]))
            for release in self.releases
            for number in range(1, self.passes + 1)
            for planned in (PlannedBlock(release, number), PlannedBlock(release, number, repeated=True))
            if planned.key in self.kept.parts
        ]
        marked = mark_noisy([run.blocks[0] for _, run in found])
        return [
            (planned, replace(run, blocks=[block]))
            for (planned, run), block in zip(found, marked, strict=True)
        ]

    def runs(self) -> dict[str, MeasuredRun]:
        """The blocks of each release so far, as one run would have measured them."""
        runs: dict[str, MeasuredRun] = {}
        for planned, part in self.measured():
            usual = MeasuredRun(part.release, part.server, facts=part.facts, min_quiet=self.passes)
            run = runs.setdefault(planned.release, usual)
            run.blocks += part.blocks
            run.rejected |= part.rejected
            run.not_applicable |= part.not_applicable
        return runs


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
            session.kept.add(planned.key, asdict(plan_of_block.measured))
        pace.step()


def file(session: HistorySession) -> int:
    """Store the results of a session by `asv run`, and return its exit status.

    Raises `PoolstartError` if nothing has been measured.
    """
    runs = session.runs()
    if not runs:
        raise PoolstartError("nothing has been measured yet", "measure with `poolstart record history`")
    FILED.mkdir(parents=True, exist_ok=True)
    for release, run in runs.items():
        files.write(FILED / f"{release}.json", json.dumps(asdict(run)))
    files.write(FILED / "releases", "\n".join(runs))
    modules = "|".join(metrics.benchmark_modules())
    done = subprocess.run(
        [sys.executable, "-m", "asv", "run", "-b", f"^({modules})[.]", f"HASHFILE:{FILED / 'releases'}"],
        cwd=ROOT,
        env={**os.environ, asv_run.HISTORY: str(FILED), **locks.inherited(locks.RESULTS)},
        check=False,
    )
    return done.returncode
