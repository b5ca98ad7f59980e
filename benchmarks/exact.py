"""Counts that repeat exactly on any machine: a change of one is a change of SQLAlchemy.

They are taken in lifecycles of their own, which are never timed. The parent holds no DataFrame, which would
change no count.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from harness import strategies
from harness.counts.figures import VERSION, RunCounts
from harness.counts.registry import COUNTS, CountMetric
from harness.system.structure import structure

Run = dict[str, Any]
"""What `setup_cache` returned: the counts of a release as JSON."""


class CountBenchmark:
    """Base of all counts: of one worker of each strategy, whose parent is warm.

    *First query* is from the first line of the worker function to its first row, creation of the engine and
    connection included; *second query* from there to its second row.
    """

    params = (strategies.IDS, ("none",))
    param_names = ("strategy", "dataframe")
    version = VERSION

    def setup_cache(self) -> Run:
        """All counts of this run and release. asv calls it once for all classes that inherit it."""
        # Imported here, because processes that only read the counts do not need it.
        from harness.counts import run

        return asdict(run.of_this_run())

    def figure(self, run: Run, strategy: str, name: str) -> float:
        """One count; NaN if there is none. Exits with the reason if the strategy was rejected."""
        counts = structure(RunCounts, run)
        if reason := counts.rejected.get(strategy):
            sys.exit(f"poolstart: {reason}")
        return counts.figures.get(strategy, {}).get(name, math.nan)


def with_counts(*units: str) -> Callable[[type[CountBenchmark]], type[CountBenchmark]]:
    """Give a class a `track_` method for each count in one of these units (`harness.counts.registry`)."""

    def add(kind: type[CountBenchmark]) -> type[CountBenchmark]:
        for count in COUNTS.values():
            if count.unit in units:
                setattr(kind, f"track_{count.id}", of_count(count))
        return kind

    return add


def of_count(count: CountMetric) -> Callable[..., float]:
    """The method that asv calls for a count: its name, unit and docstring are what asv stores."""

    def track(self: CountBenchmark, run: Run, strategy: str, dataframe: str) -> float:
        return self.figure(run, strategy, count.id)

    track.__doc__ = count.meaning
    track.unit = count.unit  # type: ignore[attr-defined]
    return track


@with_counts("statements", "round trips")
class Wire(CountBenchmark):
    """Traffic between worker and server, counted in a relay between them (`harness.postgres.relay`)."""


@with_counts("modules", "code bytes", "calls")
class Work(CountBenchmark):
    """Work of the worker's interpreter, and what it has to hold."""


@with_counts("collections")
class Collections(CountBenchmark):
    """Garbage collections by phase and generation: they take time and are not SQLAlchemy's own work.

    The collector starts from a known state: the parent of a forked worker has just collected, and a worker
    that imports SQLAlchemy itself collects before it does. *Start* is from there to the worker's first line.
    """
