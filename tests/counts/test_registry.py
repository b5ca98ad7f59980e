"""The registry of counts: benchmarks and counting agree with it."""

import inspect

from benchmarks import exact
from harness.counts import registry
from harness.counts.count import Counts
from harness.counts.observe import PHASES, QUERIES
from harness.counts.registry import COUNTS


def test_every_count_has_a_benchmark_with_its_unit_and_a_number():
    units = {
        name.removeprefix("track_"): method.unit
        for benchmarks in exact.CountBenchmark.__subclasses__()
        for name, method in inspect.getmembers(benchmarks, inspect.isfunction)
        if name.startswith("track_")
    }
    counts = Counts(
        "spawn", "2.1.9", "3.11", True,
        statements={query: [] for query in QUERIES},
        round_trips=dict.fromkeys(QUERIES, 0),
        code={},
        calls={query: {} for query in QUERIES},
        collections={phase: [0, 0, 0] for phase in PHASES},
    )  # fmt: skip
    assert units == {name: count.unit for name, count in COUNTS.items()}
    assert COUNTS.keys() == counts.figures.keys()


def test_collections_are_no_work_of_sqlalchemys():
    assert {count.id for count in registry.of_work()} == {
        name for name in COUNTS if not name.startswith("collections")
    }
