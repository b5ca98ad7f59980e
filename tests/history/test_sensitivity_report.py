"""The sensitivity page, from simulated runs."""

from dataclasses import replace

import pytest

from harness.history.sensitivity import report
from harness.history.sensitivity.record import InjectionResult, RepeatedFigure, SensitivityRecord
from harness.records.provenance import Provenance


def recorded(repetitions=()):
    figures = [RepeatedFigure("startup", "spawn", "none", [[0.1, 0.11], [0.12, 0.1234567]])]
    return SensitivityRecord(
        Provenance("2.1.9", "2026-01-01", "A processor", server="embedded", command="poolstart record"),
        "3",
        {"cpu": "A processor", "processors": 2, "kernel": "6.1"},
        60.0,
        [0, 0],
        figures,
        list(repetitions),
        injected=Provenance(date="2026-01-02", command="poolstart record sensitivity --injected"),
    )


def test_a_record_survives_being_written(tmp_path):
    record = recorded([InjectionResult("start", ["startup spawn"], [], [], {"startup spawn": 1.05})])
    record.save(tmp_path / "noise.json")
    again = SensitivityRecord.load(tmp_path / "noise.json")
    assert again.repetitions == record.repetitions
    assert again.figures[0].runs[0] == pytest.approx(record.figures[0].runs[0], rel=1e-5)


def test_the_page_names_the_machine():
    assert "; A processor; server embedded" in report.page(recorded())


def test_the_page_says_whether_another_process_ran():
    one = recorded([InjectionResult("start", [], [], [], {})])
    assert "kept a core busy" not in report.page(one)
    assert "kept a core busy" in report.page(replace(one, loaded=True))


def test_injected_changes_are_counted():
    found = InjectionResult("start", ["startup spawn"], [], [], {"startup spawn": 1.05}, pairs=8)
    missed = InjectionResult(
        "start", [], ["startup spawn"], ["uss spawn"], {"startup spawn": 1.03, "uss spawn": 1.01}, pairs=12
    )
    text = report.page(recorded([found, missed]))
    row = "| 1 of 2 | startup spawn +4.0% (+3.0% to +5.0%) | 8 to 12 | uss spawn +1.0%, 1 of 2 |"
    assert f"| a spawned worker starts 5 % slower {row}" in text


def test_comparisons_of_a_release_with_itself_have_nothing_to_find():
    silent = InjectionResult("nothing", [], [], [], {}, pairs=6)
    alarmed = InjectionResult("nothing", [], [], ["startup spawn"], {"startup spawn": 1.05}, pairs=6)
    text = report.page(recorded([silent, silent, alarmed]))
    alarms = "startup spawn +5.0%, 1 of 3"
    assert f"| nothing (A/A) | none to find, 3 comparisons |  | 6 | {alarms} |" in text
