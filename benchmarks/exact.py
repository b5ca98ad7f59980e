"""What repeats exactly, whatever the machine: a change of one is a change of SQLAlchemy.

Counted in lifecycles of their own that are never timed, with nothing resident in the parent: a DataFrame
changes none of it.
"""

import math
import sys
from dataclasses import asdict
from typing import Any

from harness import strategies
from harness.counts.figures import VERSION, Counted
from harness.system.structure import structure

Run = dict[str, Any]
"""What `setup_cache` returned."""


class Exact:
    """Of one worker of each strategy, whose parent is warm.

    *First query* is from the first line of the worker function to its first row, the engine's creation and
    the connection included; *second query* from there to its second row.
    """

    params = (strategies.IDS, ("none",))
    param_names = ("strategy", "dataframe")
    version = VERSION

    def setup_cache(self) -> Run:
        """All counts of this run and release: asv calls it once for every class that inherits it."""
        # What only counting needs is not imported by those that read.
        from harness.counts import count as exact

        return asdict(exact.of_this_run())

    def figure(self, run: Run, strategy: str, name: str) -> float:
        """One figure; not a number where there is none, and a rejected strategy ends with its reason."""
        counted = structure(Counted, run)
        if reason := counted.rejected.get(strategy):
            sys.exit(f"poolstart: {reason}")
        return counted.figures.get(strategy, {}).get(name, math.nan)


class Wire(Exact):
    """What passes between worker and server, counted on the way (`harness.postgres.relay`)."""

    def track_statements_first_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Statements the server receives for the first query: BEGIN, ROLLBACK and the dialect's own too."""
        return self.figure(run, strategy, "statements_first_query")

    def track_statements_second_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Statements the server receives for the second query."""
        return self.figure(run, strategy, "statements_second_query")

    def track_round_trips_first_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """How often the first query waits for the way to the server and back, connecting included."""
        return self.figure(run, strategy, "round_trips_first_query")

    def track_round_trips_second_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """How often the second query waits for the way to the server and back."""
        return self.figure(run, strategy, "round_trips_second_query")

    track_statements_first_query.unit = "statements"  # type: ignore[attr-defined]
    track_statements_second_query.unit = "statements"  # type: ignore[attr-defined]
    track_round_trips_first_query.unit = "round trips"  # type: ignore[attr-defined]
    track_round_trips_second_query.unit = "round trips"  # type: ignore[attr-defined]


class Work(Exact):
    """What the worker's interpreter has to do and to hold."""

    def track_modules(self, run: Run, strategy: str, dataframe: str) -> float:
        """Modules a worker holds after its second row that a worker doing nothing does not."""
        return self.figure(run, strategy, "modules")

    def track_code_bytes(self, run: Run, strategy: str, dataframe: str) -> float:
        """Bytes of these modules' code objects: no machine's page size or allocator is in it."""
        return self.figure(run, strategy, "code_bytes")

    def track_calls_first_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Calls of Python functions during the first query, without those of the import system."""
        return self.figure(run, strategy, "calls_first_query")

    def track_calls_second_query(self, run: Run, strategy: str, dataframe: str) -> float:
        """Calls of Python functions during the second query."""
        return self.figure(run, strategy, "calls_second_query")

    track_modules.unit = "modules"  # type: ignore[attr-defined]
    track_code_bytes.unit = "code bytes"  # type: ignore[attr-defined]
    track_calls_first_query.unit = "calls"  # type: ignore[attr-defined]
    track_calls_second_query.unit = "calls"  # type: ignore[attr-defined]


class Collections(Exact):
    """Garbage collections, which cost time and are no work of SQLAlchemy's, by phase and generation.

    From a known state of the collector: a forked worker's parent has just collected; one that imports for
    itself collects when it comes to SQLAlchemy, and *start* is from there to the first line.
    """

    unit = "collections"

    def track_collections_start_0(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of the youngest generation, between the import of SQLAlchemy and the worker's first line."""
        return self.figure(run, strategy, "collections_start_0")

    def track_collections_start_1(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of the middle generation, between the import of SQLAlchemy and the worker's first line."""
        return self.figure(run, strategy, "collections_start_1")

    def track_collections_start_2(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of everything, between the import of SQLAlchemy and the worker's first line."""
        return self.figure(run, strategy, "collections_start_2")

    def track_collections_first_query_0(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of the youngest generation, during the first query."""
        return self.figure(run, strategy, "collections_first_query_0")

    def track_collections_first_query_1(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of the middle generation, during the first query."""
        return self.figure(run, strategy, "collections_first_query_1")

    def track_collections_first_query_2(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of everything, during the first query."""
        return self.figure(run, strategy, "collections_first_query_2")

    def track_collections_second_query_0(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of the youngest generation, during the second query."""
        return self.figure(run, strategy, "collections_second_query_0")

    def track_collections_second_query_1(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of the middle generation, during the second query."""
        return self.figure(run, strategy, "collections_second_query_1")

    def track_collections_second_query_2(self, run: Run, strategy: str, dataframe: str) -> float:
        """Of everything, during the second query."""
        return self.figure(run, strategy, "collections_second_query_2")
