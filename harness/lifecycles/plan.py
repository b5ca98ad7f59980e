"""The plan of a run: blocks, in which every cell has its turn.

A cell that is measured in one stretch is as good as that stretch: one busy second is one bad cell. So parents
of all cells take turns, in an order that is shuffled anew for every block, and what a figure is worth
is told by how much its blocks differ. What start methods cost by themselves is measured in each block too:
where these controls stand out, or the kernel says that others wanted the processors, the machine was
disturbed, and the block is measured again.
"""

import json
import os
import random
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from harness.lifecycles import metrics
from harness.lifecycles import profile as profiles
from harness.lifecycles.blocks import Block, MeasuredRun, mark_noisy, relative_ci
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.lifecycles.parent_handle import ParentHandle, require
from harness.lifecycles.profile import Profile
from harness.lifecycles.samples import of_parent
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes.child import Child
from harness.processes.errors import NotApplicable, Rejected
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system import files, processors
from harness.system.conditions import ConditionsMeter
from harness.system.errors import PoolstartError
from harness.system.structure import structure

HISTORY = "POOLSTART_RUN_BLOCKS"
"""Environment variable, internal: a folder of blocks that were measured already, a file a release."""

METADATA = "POOLSTART_RUN_CONDITIONS"
"""Environment variable, internal: where to leave the conditions of the blocks for the one who files them."""

PARALLEL_BOOTS = 2
"""Parents that boot at the same time; they are measured one after another."""

CONTROL = "control"
"""The turn of the bare start methods."""

CONTROL_BOOTS = 4
"""Interpreters a control boots by each method; forks five times as many."""

CONTROL_DEADLINE_S = 60.0

WARM_UPS = 2

SERVER_WAIT_S = 30.0
"""Seconds a server that went away has to come back: its restart hits the cells that are being measured then,
and no other."""

MAX_REL_CI = 0.03
"""An interval of a median is narrow enough at this part of it on either side."""

Report = Callable[[str], None]


def cells_of(profile: Profile, dataframes: Iterable[str] = DATAFRAMES) -> list[Cell]:
    return [Cell(strategy, dataframe) for dataframe in dataframes for strategy in profile.strategies]


class Plan:
    """Measures the cells of one release, block by block."""

    def __init__(
        self,
        cells: Sequence[Cell],
        server: Server,
        profile: Profile,
        supervision: Supervision,
        *,
        release: str,
        python: str | Path = sys.executable,
    ) -> None:
        self._server = server
        self._profile = profile
        self._supervision = supervision
        self._python = python
        self.measured = MeasuredRun(release, server.identity, min_quiet=profile.blocks)
        self._cells: list[Cell] = []
        for cell in cells:
            try:
                require(cell, server, profile, release)
                self._cells.append(cell)
            except NotApplicable as reason:
                self.measured.not_applicable[cell.id] = str(reason)

    @property
    def cells(self) -> list[Cell]:
        """What can be measured, and has not been rejected."""
        return [cell for cell in self._cells if cell.id not in self.measured.rejected]

    def warm_up(self) -> None:
        """See that bytecode is in place: a worker that compiles what it imports is several times slower."""
        cell, uncompiled = Cell("spawn", "none"), 0
        for _ in range(WARM_UPS):
            self.see_server()
            try:
                with self.handle(cell) as parent:
                    list(parent.lifecycles(2))
            except Rejected:
                # Told where it counts: of the cells it is true of.
                continue
            self.know(parent.facts)
            uncompiled = parent.facts["uncompiled"]
            if not uncompiled:
                return
        if uncompiled:
            raise PoolstartError(
                f"{uncompiled} modules of {self._python} have no bytecode and cannot be compiled",
                "see that its site-packages can be written to, or install with `--compile-bytecode`",
            )

    def block(self, seed: int, cells: Sequence[Cell] | None = None, report: Report = lambda _: None) -> Block:
        """Measure every cell once, in turns; what is rejected is remembered, and left out from then on."""
        shuffled = random.Random(seed)
        began = datetime.now(UTC).isoformat(timespec="seconds")
        turns: list[Cell | None] = [*(self.cells if cells is None else cells), None]
        shuffled.shuffle(turns)
        samples: dict[str, dict[str, float]] = {}
        collections: dict[str, list[list[int]]] = {}
        controls: dict[str, float] = {}
        watch = ConditionsMeter()
        for first in range(0, len(turns), PARALLEL_BOOTS):
            some = turns[first : first + PARALLEL_BOOTS]
            with booted([(self, cell) for cell in some if cell]) as parents, processors.off_measured_cpu():
                ready = {parent.cell: parent for parent in parents if parent}
                for cell in some:
                    report(str(cell or "bare start methods"))
                    if cell is None:
                        controls = self._controls()
                    elif cell in ready:
                        self._turn(ready[cell], samples, collections)
        block = Block(seed, began, samples, collections, controls, watch.conditions())
        self.measured.blocks.append(block)
        return block

    def run(self, seed: int, report: Report = lambda _: None) -> MeasuredRun:
        """As many blocks as the profile wants, then more while they buy certainty and the budget lasts."""
        if not self.cells:
            return self.measured
        began = time.monotonic()
        self.warm_up()
        wanted, number = self._profile.blocks, 0
        while True:
            cells = self.cells if number < wanted else self._uncertain()
            if not cells:
                break
            self.block(
                seed + number,
                cells,
                lambda what, n=number: report(f"block {n + 1}: {what}"),  # type: ignore[misc]
            )
            number += 1
            self.measured.blocks = mark_noisy(self.measured.blocks)
            spent = time.monotonic() - began
            if number >= wanted and spent + spent / number > self._profile.budget:
                break
        return self.measured

    def _uncertain(self) -> list[Cell]:
        """All cells after a disturbed block, else those whose intervals are still wide."""
        if len([block for block in self.measured.blocks if not block.noise]) < self._profile.blocks:
            return self.cells
        return [
            cell
            for cell in self.cells
            if any(
                relative_ci(self.measured.samples(cell, metric.id)) > MAX_REL_CI
                for metric in metrics.METRICS.values()
                if metric.decides
            )
        ]

    def see_server(self) -> None:
        """Wait until the server answers; raise what it fails with when it does not come back."""

        def problem() -> PoolstartError | None:
            try:
                self._server.connect().close()
            except PoolstartError as error:
                return error
            return None

        if error := wait_until(problem, SERVER_WAIT_S, accept=lambda error: error is None, poll=0.1):
            raise error

    def handle(self, cell: Cell) -> ParentHandle:
        return ParentHandle(cell, self._server, self._profile, self._supervision, python=self._python)

    def _turn(
        self,
        parent: ParentHandle,
        samples: dict[str, dict[str, float]],
        collections: dict[str, list[list[int]]],
    ) -> None:
        try:
            lives = list(parent.lifecycles(self._profile.workers(parent.strategy)))
        except Rejected as error:
            self.measured.rejected[parent.cell.id] = str(error)
            return
        samples[parent.cell.id] = of_parent(lives)
        collections[parent.cell.id] = [list(phase) for phase in lives[-1].collections]

    def know(self, told: dict[str, Any]) -> None:
        """Guard: what was imported is what the result is filed under."""
        if told["sqlalchemy"] != self.measured.release:
            raise PoolstartError(
                f"{self._python} imports SQLAlchemy {told['sqlalchemy']}, not {self.measured.release}",
                "remove its environment, so that it is made anew",
            )
        kept = ("python", "build", "sqlalchemy", "c_extensions", "psycopg2", "libpq")
        self.measured.facts = {**{name: told[name] for name in kept}, "processor": processors.MEASURED}

    def _controls(self) -> dict[str, float]:
        child = Child(
            self._supervision,
            [self._python, "-m", "harness.lifecycles.inside.control"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        process = child.process
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps([processors.MEASURED]) + "\n")
            process.stdin.flush()
            self._line(process)
            process.stdin.write(f"{CONTROL_BOOTS}\n")
            process.stdin.flush()
            found: dict[str, list[float]] = json.loads(self._line(process))
        finally:
            child.close()
        return {method: median(values) for method, values in found.items()}

    def _line(self, process: "subprocess.Popen[str]") -> str:
        assert process.stdout is not None
        answered, _, _ = select.select([process.stdout], [], [], CONTROL_DEADLINE_S)
        if answered and (line := process.stdout.readline()):
            return line
        raise PoolstartError("the control of bare start methods did not answer", "run it again")


@contextmanager
def booted(asked: Sequence[tuple[Plan, Cell]]) -> Iterator[list[ParentHandle | None]]:
    """Parents of these cells that have booted side by side; None for one that could not, and is rejected."""
    for plan in {id(plan): plan for plan, _ in asked}.values():
        plan.see_server()
    with ExitStack() as stack:
        parents: list[ParentHandle | None] = []
        for plan, cell in asked:
            parent = plan.handle(cell)
            try:
                parent.boot()
            except PoolstartError as error:
                plan.measured.rejected[cell.id] = str(error)
                parents.append(None)
                continue
            parents.append(parent)
            stack.callback(parent.close)
        for number, ((plan, cell), booting) in enumerate(zip(asked, parents, strict=True)):
            if not booting:
                continue
            try:
                booting.ready()
                plan.know(booting.facts)
            except Rejected as error:
                plan.measured.rejected[cell.id] = str(error)
                parents[number] = None
        yield parents


def measure(
    cells: Sequence[Cell],
    server: Server,
    profile: Profile,
    *,
    release: str,
    python: str | Path = sys.executable,
    seed: int | None = None,
    report: Report = lambda _: None,
) -> MeasuredRun:
    """Measure cells in turns, as much of each as the profile wants."""
    with Supervision() as supervision:
        plan = Plan(cells, server, profile, supervision, release=release, python=python)
        return plan.run(random.SystemRandom().getrandbits(32) if seed is None else seed, report)


def of_this_run() -> MeasuredRun:
    """The blocks of the asv run that this process belongs to: measured now, unless they were before.

    What could not be measured is told on standard error, a line for each reason.
    """
    release = metadata.version("sqlalchemy")
    folder = os.environ.get(HISTORY)
    if folder:
        path = Path(folder) / f"{release}.json"
        with files.reading(path, "measure the history again with `poolstart history`"):
            measured = structure(MeasuredRun, json.loads(path.read_text()))
    else:
        profile = profiles.current()
        with locate.server() as server:
            measured = measure(cells_of(profile), server, profile, release=release)
    for reason in measured.rejected.values():
        print(f"poolstart: {reason}", file=sys.stderr)
    for reason in dict.fromkeys(measured.not_applicable.values()):
        print(f"poolstart: n/a: {reason}", file=sys.stderr)
    if measured.noisy:
        print(f"poolstart: noisy: {measured.noisy}", file=sys.stderr)
    if account := os.environ.get(METADATA):
        files.write(Path(account), json.dumps(measured.metadata()))
    return measured
