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
from dataclasses import asdict, dataclass
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

MIN_QUIET = 3
"""Blocks of a release that are left at least, when noisy ones are not used."""


@dataclass(frozen=True)
class PlannedBlock:
    """One block of a session: of a release, in a pass."""

    release: str
    number: int
    """Of the pass, from 1."""

    @property
    def key(self) -> str:
        """Of the part of the session that is this block."""
        return f"{self.release} {self.number}"


class HistorySession:
    """The blocks of a session; `kept` are those that are measured."""

    def __init__(self, kept: Parts, releases: Sequence[Release], passes: int) -> None:
        self.kept = kept
        self.releases = [release.version for release in releases]
        self.passes = passes

    def planned(self) -> Iterator[PlannedBlock]:
        """The blocks that are not measured yet, in order."""
        for number in range(1, self.passes + 1):
            order = list(self.releases)
            random.Random(number).shuffle(order)
            for release in order:
                if (planned := PlannedBlock(release, number)).key not in self.kept.parts:
                    yield planned

    def remaining(self) -> int:
        """The number of blocks that are not measured yet."""
        return len(list(self.planned()))

    def runs(self) -> dict[str, MeasuredRun]:
        """The blocks of each release so far, noisy ones marked, as one run would have measured them."""
        parts = [
            structure(MeasuredRun, self.kept.parts[planned.key])
            for release in self.releases
            for number in range(1, self.passes + 1)
            if (planned := PlannedBlock(release, number)).key in self.kept.parts
        ]
        runs: dict[str, MeasuredRun] = {}
        for part, block in zip(parts, mark_noisy([part.blocks[0] for part in parts]), strict=True):
            usual = MeasuredRun(part.release, part.server, facts=part.facts, min_quiet=MIN_QUIET)
            run = runs.setdefault(part.release, usual)
            run.blocks.append(block)
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
