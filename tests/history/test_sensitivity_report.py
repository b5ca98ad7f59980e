"""The sensitivity page, from simulated runs."""

from dataclasses import replace

import numpy as np
import pytest

from harness.history.sensitivity import report
from harness.history.sensitivity.record import InjectionResult, RepeatedFigure, SensitivityRecord
from harness.records.provenance import Provenance


def recorded(spread=0.005, *, moved=1.0, runs=10, repetitions=()):
    """Runs that differ by noise; the last half of them moved by a factor."""
    random = np.random.default_rng(1)
    figures = [
        RepeatedFigure(
            metric, strategy, dataframe,
            [list(level * (moved if run >= runs / 2 else 1) * np.exp(spread * random.normal(size=5)))
             for run in range(runs)],
        )
        for metric, level in (("startup", 0.15), ("second_query", 0.0003), ("uss", 3e7))
        for strategy in ("spawn", "forkserver")
        for dataframe in ("none", "large")
    ]  # fmt: skip
    return SensitivityRecord(
        Provenance("2.1.9", "2026-01-01", "A processor", server="embedded", command="poolstart record"),
        "3",
        {"cpu": "A processor", "processors": 2, "kernel": "6.1"},
        60.0,
        [0] * runs,
        figures,
        list(repetitions),
        injected=Provenance(date="2026-01-02", command="poolstart record sensitivity --injected"),
    )


def test_a_record_survives_being_written(tmp_path):
    record = recorded(
        repetitions=[InjectionResult("start", ["startup spawn"], [], [], {"startup spawn": 1.05})]
    )
    record.save(tmp_path / "noise.json")
    again = SensitivityRecord.load(tmp_path / "noise.json")
    assert again.repetitions == record.repetitions
    assert again.figures[0].runs[0] == pytest.approx(record.figures[0].runs[0], rel=1e-5)


def test_a_metric_has_the_spreads_of_its_steadiest_and_least_steady_cell():
    record = recorded(runs=20)
    spread = {
        f"`{figure.strategy}`, {figure.dataframe}": (max(medians) - min(medians)) / np.median(medians)
        for figure in record.figures
        if figure.metric == "startup"
        for medians in [[np.median(run) for run in figure.runs]]
    }
    [line, *_] = report.spreads(record)
    assert line.metric.id == "startup"
    assert (line.steady, line.unsteady) == (
        pytest.approx(min(spread.values())), pytest.approx(max(spread.values())),
    )  # fmt: skip
    assert spread[line.cell] == pytest.approx(line.unsteady)


def test_the_page_names_the_machine():
    assert "; A processor; server embedded" in report.page(recorded())


def test_the_page_says_whether_another_process_ran():
    assert "kept a core busy" not in report.page(recorded())
    assert "kept a core busy" in report.page(replace(recorded(), loaded=True))


def test_injected_changes_are_counted():
    found = InjectionResult("start", ["startup spawn"], [], [], {"startup spawn": 1.05}, pairs=8)
    missed = InjectionResult(
        "start", [], ["startup spawn"], ["uss spawn"], {"startup spawn": 1.03, "uss spawn": 1.01}, pairs=12
    )
    text = report.page(recorded(repetitions=[found, missed]))
    row = "| 1 of 2 | startup spawn +4.0% (+3.0% to +5.0%) | 8 to 12 | uss spawn +1.0%, 1 of 2 |"
    assert f"| a spawned worker starts 5 % slower {row}" in text


def test_comparisons_of_a_release_with_itself_have_nothing_to_find():
    silent = InjectionResult("nothing", [], [], [], {}, pairs=6)
    alarmed = InjectionResult("nothing", [], [], ["startup spawn"], {"startup spawn": 1.05}, pairs=6)
    text = report.page(recorded(repetitions=[silent, silent, alarmed]))
    alarms = "startup spawn +5.0%, 1 of 3"
    assert f"| nothing (A/A) | none to find, 3 comparisons |  | 6 | {alarms} |" in text
