"""The bill in the terminal, as JSON and as CSV."""

import json

import pytest

from harness.curves import bill_report
from harness.curves.bill import BillRequest, coefficients
from tests.support.curves import SIZES
from tests.support.fleets import TABLE

KNOWN = coefficients(TABLE, {"sizes": SIZES})

REQUEST = BillRequest(workers=32, parent_mib=512, task=1.0)


def test_a_bill_has_a_row_a_strategy_and_says_what_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    bill_report.write(KNOWN, TABLE.provenance, REQUEST, "table")
    text = " ".join(capsys.readouterr().out.split())
    assert "fork_dispose" in text
    assert "nullpool" in text
    assert "From fleets of 1 to 16 workers" in text
    assert "Extrapolated: more than 16 workers were not measured." in text
    assert "with SQLAlchemy 2.1.9" in text


def test_its_json_has_what_was_asked_what_was_measured_and_the_bill(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bill_report.write(KNOWN, TABLE.provenance, REQUEST, "json")
    content = json.loads(capsys.readouterr().out)
    assert content["request"] == {
        "workers": 32,
        "parent_mib": 512,
        "kind": "dataframe",
        "distance": 0.0,
        "task": 1.0,
    }
    assert content["extrapolated"] == ["more than 16 workers"]
    assert [row["strategy"] for row in content["bill"]] == ["fork_dispose", "spawn", "nullpool"]


def test_its_csv_has_the_documented_columns(capsys: pytest.CaptureFixture[str]) -> None:
    bill_report.write(KNOWN, TABLE.provenance, REQUEST, "csv")
    title, *rows = capsys.readouterr().out.splitlines()
    assert title == ",".join(bill_report.COLUMNS)
    assert len(rows) == 3
