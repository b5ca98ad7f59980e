"""The registry of counts: what is counted of a worker, and repeats exactly on any machine.

The counterpart of `harness.lifecycles.metrics`, which is about times and memory. To add a count, add an
entry, and its number to `Counts.figures` (`harness.counts.count`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class CountMetric:
    """One number that repeats exactly."""

    id: str
    """In results and JSON; asv's benchmark is `track_ID`."""
    unit: str
    title: str
    """For the middle of a sentence, behind a number."""
    meaning: str
    """One sentence: what is counted, and when."""

    @property
    def of_work(self) -> bool:
        """Whether it counts work of SQLAlchemy, and not of the garbage collector."""
        return self.unit != COLLECTIONS

    def changed(self, before: float, after: float) -> str:
        """`14 instead of 12 statements in the first query (+16.7%)`."""
        relative = f"{after / before - 1:+.1%}" if before else "new"
        return f"{after:.0f} instead of {before:.0f} {self.title} ({relative})"


COLLECTIONS = "collections"
"""The unit of garbage collections, which follow from all allocations of a process."""

_PHASES = {
    "start": ("start", "from the import of SQLAlchemy to the worker's first line"),
    "first_query": ("first query", "during the first query"),
    "second_query": ("second query", "during the second query"),
}

_GENERATIONS = {
    0: ("collections of generation 0", "Collections of generation 0"),
    1: ("collections of generation 1", "Collections of generation 1"),
    2: ("full collections", "Full collections"),
}

COUNTS = {
    count.id: count
    for count in (
        CountMetric("modules", "modules", "modules",
            "Modules loaded after the second row, without those of a worker that does nothing."),
        CountMetric("code_bytes", "code bytes", "bytes of code",
            "Size of these modules' code objects, which depends on no page size and no allocator."),
        CountMetric("calls_first_query", "calls", "calls of Python functions in the first query",
            "Calls of Python functions during the first query, without the import system's."),
        CountMetric("calls_second_query", "calls", "calls of Python functions in the second query",
            "Calls of Python functions during the second query."),
        CountMetric("statements_first_query", "statements", "statements in the first query",
            "Statements that the server receives for the first query: also BEGIN, ROLLBACK and the "
            "dialect's."),
        CountMetric("statements_second_query", "statements", "statements in the second query",
            "Statements that the server receives for the second query."),
        CountMetric("round_trips_first_query", "round trips", "round trips in the first query",
            "Network round trips that the first query waits for, connecting included."),
        CountMetric("round_trips_second_query", "round trips", "round trips in the second query",
            "Network round trips that the second query waits for."),
        *(
            CountMetric(
                f"collections_{phase}_{generation}", COLLECTIONS, f"{name} in the {title}",
                f"{subject} {when}.",
            )
            for phase, (title, when) in _PHASES.items()
            for generation, (name, subject) in _GENERATIONS.items()
        ),
    )
}  # fmt: skip
"""By id, in the order in which tables show them."""


def of_work() -> list[CountMetric]:
    """The counts of SQLAlchemy's work, without the garbage collector's."""
    return [count for count in COUNTS.values() if count.of_work]
