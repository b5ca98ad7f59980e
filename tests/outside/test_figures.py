"""The figures mean what their names say: what is injected into one phase moves that phase alone."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from harness.outside.cell import Cell
from harness.outside.profile import PROFILES
from harness.outside.samples import Lifecycle
from harness.outside.supervisor import ParentHandle
from harness.postgres.server import Server
from harness.system.custody import Custody
from harness.system.environment import environment
from tests.outside import mutations

PROFILE = replace(PROFILES["quick"], dataframe_mib=64)
PHASES = ("start", "engine", "first_row", "second_row", "exit")


def interleaved(server: Server, *names: str, rounds: int) -> Iterator[list[Lifecycle]]:
    """Lifecycles of each mutation in turn, `rounds` times, after one of each that does not count."""
    with Custody() as custody, ExitStack() as stack:
        parents = [
            stack.enter_context(ParentHandle(Cell(mutations.path(name), "none"), server, PROFILE, custody))
            for name in names
        ]
        for number in range(rounds + 1):
            lives = [next(parent.lifecycles(1)) for parent in parents]
            if number:
                yield lives


@pytest.mark.parametrize(
    ("healthy", "slowed", "moved"),
    [
        ("HEALTHY", "ENGINE_SLOW", {"engine"}),
        ("HEALTHY_SPAWN", "ENGINE_SLOW_SPAWN", {"engine"}),
        ("HEALTHY", "QUERY_SLOW", {"first_row", "second_row"}),
    ],
)
def test_an_injected_sleep_moves_its_phase_only(
    server: Server, healthy: str, slowed: str, moved: set[str]
) -> None:
    pairs = list(interleaved(server, healthy, slowed, rounds=5))
    for phase in PHASES:
        added = median(getattr(slow, phase) - getattr(well, phase) for well, slow in pairs)
        if phase in moved:
            assert added > 0.8 * mutations.SLEEP
        else:
            assert abs(added) < 0.4 * mutations.SLEEP


def test_injected_memory_raises_the_worker_s_memory_by_as_much(server: Server) -> None:
    pairs = list(interleaved(server, "HEALTHY", "ALLOCATES", rounds=3))
    for kind in ("uss", "pss", "rss", "peak"):
        added = median(getattr(grown, kind) - getattr(well, kind) for well, grown in pairs)
        assert added == pytest.approx(mutations.ALLOCATED, rel=0.05)


BAND = 1.15
"""How far the medians may differ. The harness adds a call, a parameter in the query and a look at its
own timestamps, microseconds against milliseconds; what remains is the scheduler's noise. More than 15 %
would be a bias of the harness."""

BLOCKS = 5
"""On a loaded machine the medians of one block may differ by more than the band by chance; the samples of
further blocks are added then, and none is dropped. A bias does not go away with more samples."""


class StandAlone:
    """A plain script of a few lines that starts one worker each time it is told to."""

    def __init__(self, custody: Custody, strategy: str, url: str) -> None:
        script = Path(__file__).with_name("stand_alone.py")
        self._process = custody.start(
            [sys.executable, script, strategy, url],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def measure(self) -> tuple[float, float]:
        """Seconds to the worker's first line, and from there to its first row."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        startup, first_query = self._process.stdout.readline().split()
        return float(startup), float(first_query)


Pair = tuple[float, float]
"""Startup and first query."""


def block(server: Server, strategy: str, rounds: int) -> Iterator[tuple[Pair, Pair]]:
    """Pairs by harness and script in turn, so that whatever else the machine does falls on both."""
    with Custody() as custody, ParentHandle(Cell(strategy, "none"), server, PROFILE, custody) as parent:
        script = StandAlone(custody, strategy, server.sqlalchemy_url("stand-alone"))
        for number in range(rounds + 1):
            if number % 2:
                life, plain = next(parent.lifecycles(1)), script.measure()
            else:
                plain, life = script.measure(), next(parent.lifecycles(1))
            # The first workers of both pay for cold caches.
            if number:
                yield (life.start, life.first_query), plain


@pytest.mark.parametrize(("strategy", "rounds"), [("fork_dispose", 20), ("spawn", 6)])
def test_the_harness_agrees_with_a_plain_stand_alone_script(
    server: Server, strategy: str, rounds: int
) -> None:
    pairs: list[tuple[Pair, Pair]] = []
    for _ in range(BLOCKS):
        # Two processes of each kind a block, because runs differ more than workers of one run do.
        for _ in range(2):
            pairs += block(server, strategy, rounds)
        ratios = [
            median(ours[figure] for ours, _ in pairs) / median(theirs[figure] for _, theirs in pairs)
            for figure in (0, 1)
        ]
        print(strategy, len(pairs), "startup and first query, harness / script:", ratios)
        if all(1 / BAND < ratio < BAND for ratio in ratios):
            return
    pytest.fail(f"harness / script: {ratios}")
