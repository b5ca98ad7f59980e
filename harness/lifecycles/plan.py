"""The plan of a run: blocks, each of which measures every cell once.

All samples of a cell that was measured in one stretch would depend on the state of the machine in that
stretch. So each block measures all cells in another random order, each with a new parent, and the differences
between blocks show how reliable a value is. Each block also measures the bare start methods: if these are
slow, or the kernel reports that other work took processor time, the block is noisy and another is measured.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from harness.lifecycles import metrics
from harness.lifecycles.blocks import Block, MeasuredRun, in_block, mark_noisy, relative_ci
from harness.lifecycles.cell import Cell
from harness.lifecycles.messages import ParentReport
from harness.lifecycles.parent_handle import ParentHandle, require
from harness.lifecycles.profile import Profile
from harness.lifecycles.samples import bare_starts, of_parent
from harness.postgres import pooler
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable, Rejected
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system import busy, processors
from harness.system.conditions import ConditionsMeter
from harness.system.errors import PoolstartError

PARALLEL_BOOTS = 2
"""Parents that boot at the same time; they are measured one at a time."""

WARM_UPS = 2
"""Attempts at having all bytecode written."""

SERVER_WAIT_S = 30.0
"""Seconds to wait for a server that stopped answering; only the cells being measured are lost."""

MAX_REL_CI = 0.03
"""Half the interval of a deciding metric, as a fraction of its median, above which a cell is repeated."""

SESSIONS = 2 * PARALLEL_BOOTS + 1
"""Sessions at a time: a monitor and the pool of each parent, and a worker."""

NOT_CHECKED = "which session a worker used, and whether one is left, was not checked"

Report = Callable[[str], None]
"""A function that is called with a description of each step."""

OnBlock = Callable[[MeasuredRun], None]


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
        of_pairs: bool = False,
    ) -> None:
        self._server = server
        self._profile = profile
        self._supervision = supervision
        self._python = python
        self._of_pairs = of_pairs
        not_checked = f"{pooler.title(server.pooler)}; {NOT_CHECKED}" if server.pooler else ""
        self.measured = MeasuredRun(
            release,
            server.identity,
            driver=profile.driver,
            not_checked=not_checked,
            min_quiet=profile.blocks,
        )
        self._cells: list[Cell] = []
        for cell in cells:
            try:
                require(cell, server, profile, release)
                self._cells.append(cell)
            except NotApplicable as reason:
                self.measured.not_applicable[cell.id] = str(reason)

    @property
    def cells(self) -> list[Cell]:
        """The cells that can be measured and have not been rejected."""
        return [cell for cell in self._cells if cell.id not in self.measured.rejected]

    def warm_up(self) -> None:
        """Have all bytecode written: a worker that compiles its imports is several times slower.

        Raises `PoolstartError` if it cannot be written, if the environment holds another release, or if the
        server does not give a run as many sessions as it needs.
        """
        self._server.require_sessions(SESSIONS)
        cell, uncompiled = Cell("spawn", "none"), 0
        for _ in range(WARM_UPS):
            self.wait_for_server()
            try:
                with self.handle(cell) as parent:
                    list(parent.lifecycles(2))
            except Rejected:
                # It will be reported for the cells that it affects.
                continue
            self.add_facts(parent.facts)
            uncompiled = parent.facts["uncompiled"]
            if not uncompiled:
                return
        if uncompiled:
            raise PoolstartError(
                f"{uncompiled} modules of {self._python} have no bytecode, and none can be written",
                "make its site-packages writable, or install with `--compile-bytecode`",
            )

    def block(self, seed: int, cells: Sequence[Cell] | None = None, report: Report = lambda _: None) -> Block:
        """Measure each cell once, in an order by `seed`; rejected cells are left out of later blocks."""
        began = datetime.now(UTC).isoformat(timespec="seconds")
        # None stands for the bare start methods.
        order: list[Cell | None] = [*(self.cells if cells is None else cells), None]
        random.Random(seed).shuffle(order)
        samples: dict[str, dict[str, float]] = {}
        collections: dict[str, list[list[int]]] = {}
        controls: dict[str, float] = {}
        meter = ConditionsMeter()
        for first in range(0, len(order), PARALLEL_BOOTS):
            batch = order[first : first + PARALLEL_BOOTS]
            with booted([(self, cell) for cell in batch if cell]) as parents, processors.off_measured_cpu():
                ready = {parent.cell: parent for parent in parents if parent}
                for cell in batch:
                    report(str(cell or "bare start methods"))
                    if cell is None:
                        controls = bare_starts(self._supervision, self._python)
                    elif cell in ready:
                        self._measure(ready[cell], samples, collections)
        block = Block(seed, began, samples, collections, controls, meter.conditions())
        self.measured.blocks.append(block)
        return block

    def run(
        self, seed: int, report: Report = lambda _: None, on_block: OnBlock = lambda _: None
    ) -> MeasuredRun:
        """Measure the profile's blocks, then more of cells with wide intervals while its budget lasts.

        `on_block` is called after each block with all that has been measured. Raises `PoolstartError` if the
        server does not come back.
        """
        if not self.cells:
            return self.measured
        began = time.monotonic()
        self.measured.running = busy.running_tasks()
        self.warm_up()
        number = 0
        while True:
            cells = self.cells if number < self._profile.blocks else self._uncertain()
            if not cells:
                break
            number += 1
            # The bare start methods have a turn as well.
            progress = in_block(
                number, len(cells) + 1, self._profile, lambda: time.monotonic() - began, report
            )
            self.block(seed + number - 1, cells, progress)
            self.measured.blocks = mark_noisy(self.measured.blocks)
            on_block(self.measured)
            spent = time.monotonic() - began
            if number >= self._profile.blocks and spent + spent / number > self._profile.budget:
                break
        return self.measured

    def _uncertain(self) -> list[Cell]:
        """All cells if there are too few quiet blocks, else those with wide intervals."""
        if sum(not block.noise for block in self.measured.blocks) < self._profile.blocks:
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

    def wait_for_server(self) -> None:
        """Wait until the server answers. Raises `PoolstartError` if it does not in time."""

        def problem() -> PoolstartError | None:
            try:
                self._server.connect().close()
            except PoolstartError as error:
                return error
            return None

        if error := wait_until(problem, SERVER_WAIT_S, accept=lambda error: error is None, poll=0.1):
            raise error

    def handle(self, cell: Cell) -> ParentHandle:
        """The handle of a new parent, which has not been started."""
        return ParentHandle(
            cell,
            self._server,
            self._profile,
            self._supervision,
            python=self._python,
            of_pair=self._of_pairs,
        )

    def _measure(
        self,
        parent: ParentHandle,
        samples: dict[str, dict[str, float]],
        collections: dict[str, list[list[int]]],
    ) -> None:
        try:
            lifecycles = list(parent.lifecycles(self._profile.workers(parent.strategy)))
        except Rejected as error:
            self.measured.rejected[parent.cell.id] = str(error)
            return
        if driver := lifecycles[-1].driver_to_preload:
            self.measured.drivers_to_preload[parent.cell.strategy] = driver
        samples[parent.cell.id] = of_parent(lifecycles)
        collections[parent.cell.id] = [list(phase) for phase in lifecycles[-1].collections]

    def add_facts(self, facts: ParentReport) -> None:
        """Keep what a parent reported. Raises `PoolstartError` if it imported another release."""
        if facts["sqlalchemy"] != self.measured.release:
            raise PoolstartError(
                f"{self._python} imports SQLAlchemy {facts['sqlalchemy']}, not {self.measured.release}",
                "remove its environment, so that it is created again",
            )
        names = ("python", "build", "sqlalchemy", "c_extensions")
        versions = {name: value for name, value in facts.items() if name in names}
        self.measured.facts = {**versions, **facts["driver"], "processor": processors.MEASURED}
        self.measured.usual = busy.on_record(self.measured.python.rpartition(".")[0])


@contextmanager
def booted(cells: Sequence[tuple[Plan, Cell]]) -> Iterator[list[ParentHandle | None]]:
    """Parents of these cells, booted in parallel; None for one that could not boot: its cell is rejected."""
    for plan in {id(plan): plan for plan, _ in cells}.values():
        plan.wait_for_server()
    with ExitStack() as stack:
        parents: list[ParentHandle | None] = []
        for plan, cell in cells:
            parent = plan.handle(cell)
            try:
                parent.boot()
            except PoolstartError as error:
                plan.measured.rejected[cell.id] = str(error)
                parents.append(None)
                continue
            parents.append(parent)
            stack.callback(parent.close)
        for number, ((plan, cell), booting) in enumerate(zip(cells, parents, strict=True)):
            if not booting:
                continue
            try:
                booting.ready()
                plan.add_facts(booting.facts)
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
    report: Report = lambda _: None,
    on_block: OnBlock = lambda _: None,
) -> MeasuredRun:
    """Measure cells as much as the profile says, in random order."""
    with Supervision() as supervision:
        plan = Plan(cells, server, profile, supervision, release=release, python=python)
        return plan.run(random.SystemRandom().getrandbits(32), report, on_block)
