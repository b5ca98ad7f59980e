"""Counts that repeat exactly on any machine: a change of one is a change of SQLAlchemy.

They are taken in lifecycles of their own, which are never timed. The parent holds no DataFrame, which would
change no count.
"""

import math
import sys
from dataclasses import asdict
from typing import Any

from harness import strategies
from harness.counts.figures import VERSION, RunCounts
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


class Wire(CountBenchmark):
    """Traffic between worker and server, counted in a relay between them (`harness.postgres.relay`)."""

    def track_statements_first_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Statements that the server receives for the first query: also BEGIN, ROLLBACK and the dialect's."""
        return self.figure(run, strategy, "statements_first_query")

    def track_statements_second_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Statements that the server receives for the second query."""
        return self.figure(run, strategy, "statements_second_query")

    def track_round_trips_first_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Network round trips that the first query waits for, connecting included."""
        return self.figure(run, strategy, "round_trips_first_query")

    def track_round_trips_second_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Network round trips that the second query waits for."""
        return self.figure(run, strategy, "round_trips_second_query")

    track_statements_first_query.unit = "statements"  # type: ignore[attr-defined]
    track_statements_second_query.unit = "statements"  # type: ignore[attr-defined]
    track_round_trips_first_query.unit = "round trips"  # type: ignore[attr-defined]
    track_round_trips_second_query.unit = "round trips"  # type: ignore[attr-defined]


class Work(CountBenchmark):
    """Work of the worker's interpreter, and what it has to hold."""

    def track_modules(self, run: Run, strategy: str, dataframe: str) -> float:
        """Modules loaded after the second row, without those of a worker that does nothing."""
        return self.figure(run, strategy, "modules")

    def track_code_bytes(self, run: Run, strategy: str, dataframe: str) -> float:
        """Size of these modules' code objects, which depends on no page size and no allocator."""
        return self.figure(run, strategy, "code_bytes")

    def track_calls_first_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Calls of Python functions during the first query, without the import system's."""
        return self.figure(run, strategy, "calls_first_query")

    def track_calls_second_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Calls of Python functions during the second query."""
        return self.figure(run, strategy, "calls_second_query")

    track_modules.unit = "modules"  # type: ignore[attr-defined]
    track_code_bytes.unit = "code bytes"  # type: ignore[attr-defined]
    track_calls_first_query.unit = "calls"  # type: ignore[attr-defined]
    track_calls_second_query.unit = "calls"  # type: ignore[attr-defined]


class Collections(CountBenchmark):
    """Garbage collections by phase and generation: they take time and are not SQLAlchemy's own work.

    The collector starts from a known state: the parent of a forked worker has just collected, and a worker
    that imports SQLAlchemy itself collects before it does. *Start* is from there to the worker's first line.
    """

    unit = "collections"

    def track_collections_start_0(self, run: Run, strategy: str, dataframe: str) -> float:
        """Collections of generation 0 from the import of SQLAlchemy to the worker's first line."""
        return self.figure(run, strategy, "collections_start_0")

    def track_collections_start_1(self, run: Run, strategy: str, dataframe: str) -> float:
        """Collections of generation 1 from the import of SQLAlchemy to the worker's first line."""
        return self.figure(run, strategy, "collections_start_1")

    def track_collections_start_2(self, run: Run, strategy: str, dataframe: str) -> float:
        """Full collections from the import of SQLAlchemy to the worker's first line."""
        return self.figure(run, strategy, "collections_start_2")

    def track_collections_first_query_0(self, run: Run, strategy: str, dataframe: str) -> float:
        """Collections of generation 0 during the first query."""
        return self.figure(run, strategy, "collections_first_query_0")

    def track_collections_first_query_1(self, run: Run, strategy: str, dataframe: str) -> float:
        """Collections of generation 1 during the first query."""
        return self.figure(run, strategy, "collections_first_query_1")

    def track_collections_first_query_2(self, run: Run, strategy: str, dataframe: str) -> float:
        """Full collections during the first query."""
        return self.figure(run, strategy, "collections_first_query_2")

    def track_collections_second_query_0(self, run: Run, strategy: str, dataframe: str) -> float:
        """Collections of generation 0 during the second query."""
        return self.figure(run, strategy, "collections_second_query_0")

    def track_collections_second_query_1(self, run: Run, strategy: str, dataframe: str) -> float:
        """Collections of generation 1 during the second query."""
        return self.figure(run, strategy, "collections_second_query_1")

    def track_collections_second_query_2(self, run: Run, strategy: str, dataframe: str) -> float:
        """Full collections during the second query."""
        return self.figure(run, strategy, "collections_second_query_2")
