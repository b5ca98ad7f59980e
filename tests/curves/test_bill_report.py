"""The bill in the terminal, as JSON and as CSV."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.curves import bill_report
from harness.curves.bill import BillRequest, Coefficients, coefficients
from harness.system import memory
from tests.support.curves import DRIVERS, POOLERS, SIZES
from tests.support.fleets import TABLE

KNOWN = coefficients(TABLE, {"sizes": SIZES})

VARIED = coefficients(TABLE, {}, DRIVERS, POOLERS)

REQUEST = BillRequest(workers=32, parent_mib=512, task=1.0)


def test_a_bill_has_a_row_a_strategy_and_says_what_it_rests_on(capsys: pytest.CaptureFixture[str]) -> None:
    bill_report.write(KNOWN, TABLE.provenance, REQUEST, "table")
    text = " ".join(capsys.readouterr().out.split())
    assert "fork_dispose" in text
    assert "nullpool" in text
    # The chooser calls the data the same.
    assert "with 512 MiB of data (DataFrame of numbers and texts) in the parent" in text
    assert "From fleets of 1 to 16 workers, parents" in text
    assert "Extrapolated: more than 16 workers were not measured." in text
    assert "with SQLAlchemy 2.1.9" in text


def test_it_says_which_ranges_were_measured_and_what_the_fleet_exceeds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(request: BillRequest, known: Coefficients = KNOWN, free: float = 64.0) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(memory, "available", lambda: free * 2**30)
            bill_report.write(known, TABLE.provenance, request, "table")
        return " ".join(capsys.readouterr().out.split())

    assert "From fleets of 1 to 16 workers, parents with up to 4 GiB of such data." in shown(REQUEST)
    most = shown(BillRequest(workers=1000, distance=0.01))
    assert "a pool they hold 1001 connections, and PostgreSQL's max_connections leaves 97 by default." in most
    assert "their parent has 2000 file descriptors open; `ulimit -n` is often 1024." in most
    assert "need more memory" not in most
    behind = shown(BillRequest(workers=100, pooler=True), VARIED)
    assert "PgBouncer's max_client_conn leaves 100" in behind
    small = shown(BillRequest(workers=16), free=0.2)
    assert "They need more memory than is free here, 0.2 GiB, under fork_dispose, spawn, nullpool." in small
    assert "max_connections" not in small


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
        "tasks": 1,
        "driver": "psycopg2",
        "pooler": False,
    }
    assert content["extrapolated"] == ["more than 16 workers"]
    assert content["elsewhere"] == ""
    assert content["unmeasured"] == []
    assert [row["strategy"] for row in content["bill"]] == ["fork_dispose", "spawn", "nullpool"]


def test_what_was_not_measured_with_a_driver_behind_a_pooler_is_said_in_a_line_and_not_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    request = BillRequest(workers=4, driver="asyncpg", pooler=True)
    moved = {name: replace(each, machine="the second") for name, each in DRIVERS["asyncpg"].items()}
    elsewhere = replace(VARIED, drivers={"asyncpg": moved})
    bill_report.write(elsewhere, TABLE.provenance, request, "table", "it did well")
    text = " ".join(capsys.readouterr().out.split())
    assert "Not measured with asyncpg behind PgBouncer, and so not shown: spawn, nullpool." in text
    assert "With asyncpg: the times by the ratio, the memory by the difference" in text
    assert "Measured on another machine than the fleets: the driver (the second)." in text
    assert "it did well" in text
    bill_report.write(VARIED, TABLE.provenance, request, "json", "it did well")
    content = json.loads(capsys.readouterr().out)
    assert (content["unmeasured"], content["tested"]) == (["spawn", "nullpool"], "it did well")
    assert [(row["strategy"], row["memory_collected"]) for row in content["bill"]] == [("fork_dispose", None)]


def test_a_bill_of_which_nothing_was_measured_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    bill_report.write(KNOWN, TABLE.provenance, BillRequest(workers=4, driver="psycopg"), "table")
    text = " ".join(capsys.readouterr().out.split())
    assert "Not measured with psycopg 3, and so not shown: fork_dispose, spawn, nullpool." in text


def test_a_bill_imports_nothing_that_measures_or_judges() -> None:
    # Each of them takes longer than the whole bill.
    slow = {"asv", "numpy", "pandas", "psycopg2", "scipy", "sqlalchemy"}
    code = (
        "import sys\nfrom harness.cli.commands import app\n"
        "app(['bill', '--workers', '8', '--driver', 'asyncpg', '--pooler', '--csv'], standalone_mode=False)\n"
        f"print(*({slow} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == ",".join(bill_report.COLUMNS)
    assert done.stdout.splitlines()[-1] == ""
