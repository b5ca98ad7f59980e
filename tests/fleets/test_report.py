"""The bill and the page show the same fleets."""

import json

import pytest

from harness.fleets import report
from harness.fleets.bill import BillRequest
from tests.support.fleets import TABLE

REQUEST = BillRequest(workers=32, parent_mib=512, task=1.0)


def test_a_bill_has_a_row_a_strategy_and_says_what_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    report.write(TABLE, REQUEST, "table")
    text = " ".join(capsys.readouterr().out.split())
    assert "fork_dispose" in text
    assert "nullpool" in text
    assert "From lines through fleets of 1 to 16 workers" in text
    assert "Extrapolated: more than 16 workers were not measured." in text
    assert "with SQLAlchemy 2.1.9" in text


def test_its_json_has_what_was_asked_what_was_measured_and_the_bill(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report.write(TABLE, REQUEST, "json")
    content = json.loads(capsys.readouterr().out)
    assert content["request"] == {"workers": 32, "parent_mib": 512, "distance": 0.0, "task": 1.0}
    assert content["extrapolated"] == ["more than 16 workers"]
    assert [row["strategy"] for row in content["bill"]] == ["fork_dispose", "nullpool"]


def test_its_csv_has_the_documented_columns(capsys: pytest.CaptureFixture[str]) -> None:
    report.write(TABLE, REQUEST, "csv")
    title, *rows = capsys.readouterr().out.splitlines()
    assert title == ",".join(report.COLUMNS)
    assert len(rows) == 2


def test_the_page_has_every_size_with_and_without_a_dataframe() -> None:
    page = report.render(TABLE)
    assert "| strategy | 1 worker | 4 workers | 16 workers |" in page
    assert page.count("| fork_dispose | 120 | 180 | 420 |") == 2  # time, and processor time
    assert "with a DataFrame of 512 MiB in the parent" in page
    assert "after each worker has read the texts" not in page.partition("## As lines")[0].split("##", 1)[1]
