"""What a comparison prints before and after its figures."""

import json
from pathlib import Path

import pytest

from harness.comparisons import report
from harness.comparisons.compare import Comparison, Side


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
