"""The registry of metrics: an entry that is added appears in benchmarks and in every table it asks for."""

import importlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cells
from harness.answer import quick_report, readme, results_report
from harness.answer.figures import answers
from harness.comparisons import compare
from harness.comparisons import report as comparison_report
from harness.comparisons.judge import judge
from harness.comparisons.pairs import Sample, samples_of
from harness.history import reference
from harness.lifecycles import metrics, plan
from harness.lifecycles import report as measure_report
from harness.lifecycles.cell import Cell
from harness.lifecycles.metrics import Interval, Metric, Table
from harness.lifecycles.profile import PROFILES
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.site import build
from harness.system.environment import ROOT
from tests.support.results import RESULTS, few

ADDED = Metric(
    "rest",
    "seconds",
    "rest of life",
    "From the second row until the parent has reaped the worker.",
    Interval("second_row", "reaped"),
    "query.Query",
    frozenset(Table),
)


@pytest.fixture
def added(monkeypatch: pytest.MonkeyPatch) -> Metric:
    """A metric that exists for one test."""
    monkeypatch.setitem(metrics.METRICS, ADDED.id, ADDED)
    return ADDED


def tracks() -> Iterator[tuple[str, Any]]:
    """asv's name and the method of each benchmark of lifecycles."""
    for path in (ROOT / "benchmarks").glob("*.py"):
        if path.stem != "__init__":
            importlib.import_module(f"benchmarks.{path.stem}")
    for benchmarks in cells.CellBenchmark.__subclasses__():
        module = benchmarks.__module__.removeprefix("benchmarks.")
        for name, method in inspect.getmembers(benchmarks, inspect.isfunction):
            if name.startswith("track_"):
                yield f"{module}.{benchmarks.__name__}.{name}", method


def test_each_metric_has_a_benchmark_with_its_sentence_and_unit_and_each_benchmark_a_metric() -> None:
    expected = {metric.benchmark: (metric.meaning, metric.unit) for metric in metrics.METRICS.values()}
    assert {name: (method.__doc__, method.unit) for name, method in tracks()} == expected


def test_titles_are_unique_and_sentences_are_sentences() -> None:
    entries = metrics.METRICS.values()
    for texts in ([entry.title for entry in entries], [entry.short for entry in entries]):
        assert len(set(texts)) == len(texts)
    for entry in entries:
        assert entry.meaning.endswith(".")
        assert len(entry.id) <= 20


def test_no_measured_process_may_import_the_registry() -> None:
    contract = (ROOT / "pyproject.toml").read_text().split("a measured process imports nothing")[1]
    assert '"harness.lifecycles.metrics"' in contract


def test_the_smallest_change_that_counts() -> None:
    """1 % and 5 µs of times, 0.5 % and 64 KiB of memory."""
    assert metrics.min_relevant_change("startup", 0.2) == 0.01
    assert metrics.min_relevant_change("engine", 30e-6) == pytest.approx(5 / 30)
    assert metrics.min_relevant_change("uss", 30 * 2**20) == 0.005
    assert metrics.min_relevant_change("uss", 2**20) == 1 / 16


@pytest.fixture
def measured(added: Metric, server: Server) -> plan.MeasuredRun:
    """One cell, measured for real with the added metric in the registry."""
    cell = Cell("fork_dispose", "none")
    return plan.measure([cell], server, PROFILES["quick"], release=metadata.version("sqlalchemy"))


def test_an_added_metric_is_measured_and_its_benchmark_and_the_terminal_have_it(
    measured: plan.MeasuredRun, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = cells.CellBenchmark().samples(asdict(measured), "fork_dispose", "none", ADDED.id)
    assert isinstance(samples, dict)
    values = samples["samples"]
    assert isinstance(values, list)
    assert values[0] > 0

    arguments = (measured, ("fork_dispose",), ("none",), PROFILES["quick"])
    measure_report.write(*arguments, "table")
    assert "rest of" in capsys.readouterr().out  # the heading is folded
    measure_report.write(*arguments, "csv")
    assert ",rest,seconds," in capsys.readouterr().out
    quick_report.print_answer(measured, PROFILES["quick"])
    assert "rest of" in capsys.readouterr().out


def test_an_added_metric_is_compared(added: Metric, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = Lifecycle(False, {"rest": 0.10}), Lifecycle(False, {"rest": 0.12})
    samples = [samples_of([before], [after])["rest"] for _ in range(8)]
    rows = judge({("rest", "spawn", "none"): samples}, 0.03)
    sides = [compare.Side(name, name, Path("python"), ("spawn",)) for name in ("2.0.58", "2.1.9")]
    found = compare.Comparison(*sides, tuple(rows), 0, 1.0, [], [], ())
    comparison_report.write(found, ("none",), "table", "a server")
    out = capsys.readouterr().out
    assert "rest of life, ms" in out
    assert "slower" in out


@pytest.fixture(scope="module")
def with_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of some releases, in which the added metric is the second query."""
    copied = tmp_path_factory.mktemp("results")
    source, added = "query.Query.track_second_query", ADDED.benchmark
    for path in few(copied, 9):
        content = json.loads(path.read_text())
        content["results"][added] = content["results"][source]
        path.write_text(json.dumps(content))
    benchmarks = json.loads((RESULTS / "benchmarks.json").read_text())
    benchmarks[added] = {**benchmarks[source], "name": added}
    (copied / "benchmarks.json").write_text(json.dumps(benchmarks))
    return copied


def test_readme_and_the_results_page_show_an_added_metric(added: Metric, with_results: Path) -> None:
    report = answers.default(with_results)
    assert " rest of life, ms |" in readme.answer(report)
    assert " rest of life, ms |" in results_report.page(report)
    assert "- *Rest of life*: From the second row until" in results_report.definitions()


def test_an_added_metric_is_paired_over_the_releases(added: Metric) -> None:
    sample = Sample(1.0, 1.1, 1.1)
    assert "rest" in reference.logs_of([{added.id: sample, "peak": sample}]).logs


def test_the_site_shows_an_added_metric(added: Metric, with_results: Path, tmp_path: Path) -> None:
    build.build(with_results, tmp_path)
    assert ADDED.meaning in (tmp_path / "figures" / "rest.html").read_text()
    assert "Rest of life" in (tmp_path / "releases.html").read_text()
