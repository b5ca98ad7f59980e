"""Metrics measure what they claim: a delay in one phase changes that phase alone, and a script agrees."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import product
from operator import sub, truediv
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from harness import strategies
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.profile import PROFILES
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.system import processors
from harness.system.environment import environment
from tests.support import broken_strategies
from tests.support.statistics import compared, of_blocks, surely_beyond

PROFILE = replace(PROFILES["quick"], dataframe_mib=64)
PHASES = ("startup", "engine", "first_row", "second_query", "exit")


def phases(life: Lifecycle) -> dict[str, float]:
    """The values of a lifecycle by metric, and the phase from the usable engine to the first row."""
    return {**life.values, "first_row": life.values["first_query"] - life.values["engine"]}


def interleaved(server: Server, *names: str, rounds: int) -> Iterator[list[Lifecycle]]:
    """Interleaved lifecycles of the broken strategies, `rounds` of each after one that is discarded."""
    with Supervision() as supervision, ExitStack() as stack:
        parents = [
            stack.enter_context(
                ParentHandle(Cell(broken_strategies.path(name), "none"), server, PROFILE, supervision)
            )
            for name in names
        ]
        for number in range(rounds + 1):
            lives = [next(parent.lifecycles(1)) for parent in parents]
            if number:
                yield lives


CHANGED_RATIO, CHANGED_FRACTION = 2.5, 0.02
"""A phase counts as changed if it takes this many times as long as that of the healthy worker, and the
difference is this fraction of the injected delay: on a busy machine, a second row of 0.3 ms may take 1 ms."""


@pytest.mark.parametrize(
    ("slowed", "moved"),
    [
        ("ENGINE_SLOW", {"engine"}),
        ("QUERY_SLOW", {"first_row", "second_query"}),
    ],
)
def test_an_injected_delay_changes_its_phase_only(server: Server, slowed: str, moved: set[str]) -> None:
    pairs = list(interleaved(server, "HEALTHY", slowed, rounds=7))

    def medians(of: Callable[[float, float], float]) -> dict[str, float]:
        return {
            phase: median(of(phases(slow)[phase], phases(well)[phase]) for well, slow in pairs)
            for phase in PHASES
        }

    ratios, added = medians(truediv), medians(sub)
    assert moved == {
        phase
        for phase in PHASES
        if not 1 / CHANGED_RATIO < ratios[phase] < CHANGED_RATIO
        and abs(added[phase]) > CHANGED_FRACTION * broken_strategies.DELAY
    }, ratios
    for phase in {"engine"} if "ENGINE" in slowed else moved:
        assert added[phase] > 0.8 * broken_strategies.DELAY


def test_identical_cells_agree(server: Server) -> None:
    """Two names of the same strategy, interleaved: no metric differs."""
    pairs = list(interleaved(server, "HEALTHY", "TWIN", rounds=20))
    apart = {}
    for figure in (*PHASES, "first_query", "time_to_first_row", "uss", "pss"):
        difference, doubt = compared([(phases(one)[figure], phases(other)[figure]) for one, other in pairs])
        if surely_beyond(difference, BAND, doubt):
            apart[figure] = f"{difference:+.1%}"
    assert apart == {}


def test_injected_memory_adds_as_much_to_the_memory_of_the_worker(server: Server) -> None:
    pairs = list(interleaved(server, "HEALTHY", "ALLOCATES", rounds=3))
    for kind in ("uss", "pss", "rss"):
        added = median(grown.values[kind] - well.values[kind] for well, grown in pairs)
        assert added == pytest.approx(broken_strategies.ALLOCATED, rel=0.05)


def test_a_parent_does_not_read_its_memory_before_a_start(server: Server) -> None:
    """The kernel would walk the page tables, and a fork that finds them in the cache takes a tenth less."""
    with Supervision() as supervision:
        cell = Cell(broken_strategies.path("MEASURES_AFTERWARDS"), "none")
        with ParentHandle(cell, server, PROFILE, supervision) as parent:
            assert next(parent.lifecycles(1)).values["startup"] > 0


METRICS = ("startup", "first_query", "second_query", "uss")

BLOCKS = 8
"""Chosen before measuring. Each block has a parent of the harness and a script, with interleaved workers. Of
two equal parents, the one that was started first may take a fifth longer for each fork, because of the memory
it was given: so the script is started first in every other block."""

ROUNDS = {True: 2, False: 5}
"""Workers of a block that boot an interpreter, and those that do not."""

MIB_LARGE = 128

BAND = 0.05
SHORT, BAND_OF_SHORT = 3e-3, 0.08
"""Tolerated relative difference of the two, and that of times under 3 ms: the harness also reads timestamps
and collections, which takes microseconds."""


class StandAlone:
    """A plain script that starts one worker per line of its input."""

    def __init__(self, supervision: Supervision, strategy: str, url: str, mib: int) -> None:
        script = Path(__file__).with_name("stand_alone_program.py")
        self._process = supervision.start(
            [sys.executable, script, strategy, url, str(mib)],
            env={**environment(), "PYTHONPATH": str(script.parent), "TMPDIR": str(supervision.directory())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert self._process.stdout.readline() == "ready\n"
        # On the processor that the harness measures on.
        processors.pin(self._process.pid)

    def measure(self) -> tuple[float, ...]:
        """Startup, first query and second query in seconds, unique memory in bytes."""
        self._process.stdin.write("go\n")
        return tuple(map(float, self._process.stdout.readline().split()))


def measure(handle: ParentHandle) -> tuple[float, ...]:
    life = next(handle.lifecycles(2))
    return tuple(life.values[metric] for metric in METRICS)


def block(
    server: Server, cell: Cell, *, script_first: bool
) -> Iterator[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Interleaved pairs of harness and script, so that noise of the machine affects both."""
    profile = replace(PROFILE, dataframe_mib=MIB_LARGE)
    with ExitStack() as stack:
        supervision = stack.enter_context(Supervision())
        handle = ParentHandle(cell, server, profile, supervision)
        if not script_first:
            stack.enter_context(handle)
        url = server.sqlalchemy_url("stand-alone")
        script = StandAlone(supervision, cell.strategy, url, cell.size(profile))
        if script_first:
            stack.enter_context(handle)
        for number in range(ROUNDS[handle.strategy.boots_an_interpreter] + 1):
            if number % 2:
                ours, theirs = measure(handle), script.measure()
            else:
                theirs, ours = script.measure(), measure(handle)
            # The first workers of both also start the helper processes of multiprocessing.
            if number:
                yield ours, theirs


APART = ("fork_nodispose-none", "fork_nodispose-large", "nullpool-large", "forkserver-none")
"""Cells that others stand for, in the soak tests; so are those whose workers do not inherit the DataFrame."""


def cells() -> Iterator[Any]:
    for strategy, dataframe in product(strategies.IDS, DATAFRAMES):
        apart = f"{strategy}-{dataframe}" in APART
        apart |= dataframe == "large" and strategies.get(strategy).start_method != "fork"
        yield pytest.param(strategy, dataframe, marks=pytest.mark.soak if apart else ())


@pytest.mark.parametrize(("strategy", "dataframe"), list(cells()))
def test_the_harness_agrees_with_a_plain_stand_alone_script(
    server: Server, strategy: str, dataframe: str
) -> None:
    cell = Cell(strategy, dataframe)
    blocks = [list(block(server, cell, script_first=bool(number % 2))) for number in range(BLOCKS)]
    apart = []
    for number, metric in enumerate(METRICS):
        by_block = [[(theirs[number], ours[number]) for ours, theirs in pairs] for pairs in blocks]
        difference, doubt = of_blocks(by_block)
        expected = median(theirs for pairs in by_block for theirs, _ in pairs)
        print(f"{cell.id} {metric}: script {expected:.6g}, harness {difference:+.1%}, doubt {doubt:.1%}")
        if surely_beyond(difference, BAND_OF_SHORT if expected < SHORT else BAND, doubt):
            apart.append(f"{metric} {difference:+.1%}")
    assert apart == []
