"""The figures mean what their names say: what is injected into one phase moves that phase alone."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from harness.custody import Custody
from harness.lifecycle.cell import Cell
from harness.lifecycle.profile import PROFILES
from harness.lifecycle.samples import Lifecycle
from harness.lifecycle.supervisor import Parent, environment
from harness.postgres.server import Server
from tests.lifecycle import mutations

PROFILE = replace(PROFILES["quick"], dataframe_mib=64)
PHASES = ("start", "engine", "first_row", "second_row", "exit")


def interleaved(server: Server, *names: str, rounds: int) -> Iterator[list[Lifecycle]]:
    """Lifecycles of each mutation in turn, `rounds` times, after one of each that does not count."""
    with Custody() as custody, ExitStack() as stack:
        parents = [
            stack.enter_context(Parent(Cell(mutations.path(name), "none"), server, PROFILE, custody))
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
own timestamps, microseconds against milliseconds; what remains is the scheduler's noise on medians of
interleaved samples, seen within a few per cent. More than 15 % would be a bias of the harness."""


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


@pytest.mark.parametrize(("strategy", "rounds"), [("fork_dispose", 15), ("spawn", 5)])
def test_the_harness_agrees_with_a_plain_stand_alone_script(
    server: Server, strategy: str, rounds: int
) -> None:
    harness: list[tuple[float, float]] = []
    script: list[tuple[float, float]] = []
    # Several processes of each kind, because runs differ more than workers of one run do; in turn, so
    # that whatever else the machine does falls on both.
    for _ in range(3):
        with Custody() as custody, Parent(Cell(strategy, "none"), server, PROFILE, custody) as parent:
            plain = StandAlone(custody, strategy, server.sqlalchemy_url("stand-alone"))
            for number in range(rounds + 1):
                life = next(parent.lifecycles(1))
                by_script = plain.measure()
                if number:
                    harness.append((life.start, life.first_query))
                    script.append(by_script)
    for ours, theirs in zip(zip(*harness, strict=True), zip(*script, strict=True), strict=True):
        assert 1 / BAND < median(ours) / median(theirs) < BAND
