"""What a comparison prints before and after its figures."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.comparisons import report
from harness.comparisons.compare import Comparison, Side
from harness.comparisons.judge import ComparisonRow


def comparison(before: str, after: str) -> Comparison:
    first, second = (Side(release, release, Path("python"), ("spawn",)) for release in (before, after))
    return Comparison(first, second, (), 0, 1.0, [], [], ())


def printed(capsys: pytest.CaptureFixture[str], before: str, after: str, form: str) -> str:
    report.write(comparison(before, after), ["none"], form)
    return capsys.readouterr().out


def test_a_comparison_of_2_0_with_2_1_first_says_which_driver_a_url_means(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = " ".join(printed(capsys, "2.0.58", "2.1.9", "table").split())
    assert text.startswith("note: From SQLAlchemy 2.1 on, postgresql:// means psycopg 3")
    assert "psycopg 3" in json.loads(printed(capsys, "2.1.9", "2.0.58", "json"))["upgrade"]
    assert "psycopg 3" not in printed(capsys, "2.1.8", "2.1.9", "table")
    assert json.loads(printed(capsys, "1.4.54", "2.0.58", "json"))["upgrade"] == ""


SLOWER = ComparisonRow("startup", "spawn", "none", 10, 0.1, 0.2, 2.0, 1.9, 2.1, 0.0, "slower")


def test_on_a_busy_machine_it_says_so_first_and_has_no_verdicts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    idle = replace(comparison("2.1.8", "2.1.9"), rows=(SLOWER,))
    report.write(idle.concluded(), ["none"], "table")
    assert " slower\n" in capsys.readouterr().out
    busy = replace(idle, busy="tasks waited for a processor in 99% of the time").concluded()
    report.write(busy, ["none"], "table")
    text = capsys.readouterr().out
    assert text.startswith("busy: tasks waited for a processor in 99% of the time. Nothing can be concluded")
    assert " slower\n" not in text
    assert "cannot tell" in text
    assert not any(row.worse(0.03) for row in busy.rows)
    report.write(busy, ["none"], "json")
    assert next(iter(json.loads(capsys.readouterr().out))) == "busy"
