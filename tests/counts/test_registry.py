"""The registry of counts: benchmarks and counting agree with it."""

import inspect

import pytest

from benchmarks import exact
from harness.counts import registry
from harness.counts.count import Counts
from harness.counts.observe import PHASES, QUERIES
from harness.counts.registry import COUNTS


def methods():
    for benchmarks in exact.CountBenchmark.__subclasses__():
        for name, method in inspect.getmembers(benchmarks, inspect.isfunction):
            if name.startswith("track_"):
                yield name.removeprefix("track_"), benchmarks, method


METHODS = {name: (benchmarks, method) for name, benchmarks, method in methods()}


def test_every_count_has_a_benchmark_and_a_number():
    counts = Counts(
        "spawn", "2.1.9", "3.11", True,
        statements={query: [] for query in QUERIES},
        round_trips=dict.fromkeys(QUERIES, 0),
        code={},
        calls={query: {} for query in QUERIES},
        collections={phase: [0, 0, 0] for phase in PHASES},
    )  # fmt: skip
    assert METHODS.keys() == COUNTS.keys() == counts.figures.keys()


@pytest.mark.parametrize("name", COUNTS)
def test_a_benchmark_has_the_unit_and_the_sentence_of_the_registry(name):
    benchmarks, method = METHODS[name]
    assert getattr(method, "unit", benchmarks.__dict__.get("unit")) == COUNTS[name].unit
    assert inspect.getdoc(method) == COUNTS[name].meaning


def test_collections_are_no_work_of_sqlalchemys():
    assert {count.id for count in registry.of_work()} == {
        name for name in COUNTS if not name.startswith("collections")
    }
