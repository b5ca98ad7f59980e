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
        {
            method: [[0.05 * (moved if run >= runs / 2 else 1)] * 5 for run in range(runs)]
            for method in ("fork", "forkserver", "spawn")
        },
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


def test_spread_detectable_change_and_coverage_are_those_of_the_runs():
    [line, *_] = report.spreads(recorded(runs=20))
    medians = [np.median(run) for run in recorded(runs=20).figures[0].runs]
    assert line.spread == pytest.approx((max(medians) - min(medians)) / np.median(medians))
    assert 0.01 <= line.minimum_detectable < 0.05
    assert line.covered >= 18


def test_a_slower_machine_cancels_out_when_divided_by_its_bare_start():
    steady, moved = (report.spreads(recorded(moved=factor))[0] for factor in (1.0, 1.4))
    assert moved.spread > 0.3
    assert moved.beside == pytest.approx(steady.beside)
    assert "spread by 33.3% (fork), 33.3% (forkserver), 33.3% (spawn)" in report.page(recorded(moved=1.4))
    assert "speed explains most of it" in report.page(recorded(moved=1.4))
    assert "speed does not explain it" in report.page(recorded())


def test_memory_is_not_divided_by_a_bare_start():
    assert all(np.isnan(line.beside) == (line.figure.metric == "uss") for line in report.spreads(recorded()))
    assert "nan" not in report.page(recorded())


def test_the_page_names_the_machine():
    assert "; A processor; server embedded" in report.page(recorded())


def test_the_page_says_whether_another_process_ran():
    assert "kept a core busy" not in report.page(recorded())
    assert "kept a core busy" in report.page(replace(recorded(), loaded=True))


def test_identical_runs_laid_out_as_releases_raise_no_alarm():
    assert report.false_alarms(recorded()) == []


def test_alarms_are_named_where_there_are_any(monkeypatch):
    monkeypatch.setattr(report.random.Random, "shuffle", lambda *_: None)
    alarms = report.false_alarms(recorded(moved=1.2))
    assert any("startup (spawn, none) +20" in alarm for alarm in alarms)
    assert f"{len(alarms)} false alarms" in report.page(recorded(moved=1.2))


def test_targets_depend_on_size():
    assert [report.target("startup", value) for value in (0.15, 0.002, 0.0003)] == [0.04, 0.06, None]
    assert [report.target("uss", value * 2**20) for value in (25, 4)] == [0.005, 0.015]


def test_a_missed_target_stands_out():
    assert "**" in report.page(recorded(spread=0.2))


def test_injected_changes_are_counted():
    found = InjectionResult("start", ["startup spawn"], [], [], {"startup spawn": 1.05}, pairs=8)
    missed = InjectionResult(
        "start", [], ["startup spawn"], ["uss spawn"], {"startup spawn": 1.03, "uss spawn": 1.01}, pairs=12
    )
    text = report.page(recorded(repetitions=[found, missed]))
    row = "| 1 of 2 | startup spawn +4.0% (+3.0% to +5.0%) | 8 to 12 | uss spawn +1.0%, 1 of 2 |"
    assert f"| a spawned worker starts 5 % slower {row}" in text
