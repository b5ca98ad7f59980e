"""What ± means, and how far one run is from the next."""

import json
import math
from pathlib import Path
from statistics import median

import pytest
from asv_runner.statistics import compute_stats

from harness.lifecycles import intervals, metrics
from harness.system.environment import ROOT

RUNS = {
    ("time_to_first_row", "spawn", "none"): [[0.20, 0.21], [0.25, 0.25], [0.22, 0.22]],
    ("time_to_first_row", "nullpool", "none"): [[0.010], [0.0101]],
    ("uss", "spawn", "none"): [[1000.0], [1001.0]],
}


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str, str], float]:
    path = tmp_path / "sensitivity.json"
    figures = [
        {"metric": metric, "strategy": strategy, "dataframe": dataframe, "runs": runs}
        for (metric, strategy, dataframe), runs in RUNS.items()
    ]
    path.write_text(json.dumps({"figures": figures}))
    found = intervals.on_record(path)
    monkeypatch.setattr(intervals, "on_record", lambda: found)
    return found


@pytest.mark.parametrize("samples", [[7.2, 7.4, 7.9], [1.0] * 3, [16.0, 17, 17.2, 18, 15, 16.5, 17.3, 17.1]])
def test_the_interval_is_asvs(samples: list[float]) -> None:
    _, stats = compute_stats(samples, 1)
    assert intervals.of_median(samples) == (stats["ci_99_a"], stats["ci_99_b"])


def test_too_few_samples_have_no_interval() -> None:
    assert intervals.of_median([1.0, 1.1]) == (-math.inf, math.inf)
    assert intervals.median_with_interval([0.1, 0.2], 1e3) == "150"
    assert intervals.median_with_interval([7.2, 7.4, 7.9], 1).startswith("7.4 ±1.6")


def test_runs_differ_by_the_range_of_their_medians(recorded: dict[tuple[str, str, str], float]) -> None:
    assert recorded["time_to_first_row", "spawn", "none"] == pytest.approx((0.25 - 0.205) / 0.22)
    assert intervals.between_runs("time_to_first_row") == recorded["time_to_first_row", "spawn", "none"]
    assert intervals.between_runs("second_query") is None


def test_an_interval_is_widened_by_its_cell_else_its_metric_else_its_unit(
    recorded: dict[tuple[str, str, str], float],
) -> None:
    assert intervals.widening("time_to_first_row", "nullpool") == pytest.approx(0.0001 / 0.01005)
    most = recorded["time_to_first_row", "spawn", "none"]
    assert intervals.widening("time_to_first_row", "forkserver") == most
    assert intervals.widening("second_query", "forkserver") == most
    assert intervals.widening("uss_collected", "spawn") == recorded["uss", "spawn", "none"]


def test_nothing_on_record_widens_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "on_record", dict)
    assert intervals.widening("uss", "spawn") == math.inf
    assert "is not on record" in intervals.caption([metrics.get("uss")])


def test_the_caption_names_the_difference_of_each_metric(recorded: dict[tuple[str, str, str], float]) -> None:
    shown = [metrics.get(name) for name in ("time_to_first_row", "second_query", "uss")]
    text = intervals.caption(shown)
    assert text.startswith("± is half of the 99 % interval of the median, between the parents of this run.")
    assert "by up to 21 % (first row), 1 % (unique memory); not on record for second query." in text


def test_the_committed_record_is_read_as_it_is() -> None:
    figures = json.loads((ROOT / "records" / "sensitivity.json").read_text())["figures"]
    worst = max(
        (max(medians) - min(medians)) / median(medians)
        for figure in figures
        if figure["metric"] == "time_to_first_row"
        for medians in [[median(run) for run in figure["runs"]]]
    )
    assert intervals.between_runs("time_to_first_row") == pytest.approx(worst)
    assert f"first row {math.ceil(worst * 100)} %, " in (ROOT / "docs" / "results.md").read_text()
