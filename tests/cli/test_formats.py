"""`--json` and `--csv`: standard output is that and nothing else, with the documented columns."""

import csv
import io
import json

import pytest

from harness.answer import results, results_report
from harness.hazards import expected as record
from harness.hazards import view as hazards
from harness.hazards.hazard import Severity, Verdict
from harness.lifecycles import report as measured
from harness.postgres.server import Server
from harness.system.environment import ROOT
from tests.support.command import poolstart


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_measure(quick: Server) -> None:
    asked = ("measure", "--strategy", "fork_dispose", "--strategy", "nullpool", "--dataframe", "none")
    as_csv, as_json = poolstart(*asked, "--csv"), poolstart(*asked, "--json")
    assert as_csv.returncode == as_json.returncode == 0, as_csv.stderr + as_json.stderr
    assert "fork_dispose, dataframe none" in as_csv.stderr
    figures = rows(as_csv.stdout)
    assert tuple(figures[0]) == measured.COLUMNS
    found = {(row["strategy"], row["metric"]): float(row["median"]) for row in figures}
    assert {strategy for strategy, _ in found} == {"fork_dispose", "nullpool"}
    for strategy in ("fork_dispose", "nullpool"):
        # Seconds that add up, and bytes of a process.
        whole = found[strategy, "startup"] + found[strategy, "first_query"]
        assert whole == pytest.approx(found[strategy, "time_to_first_row"], rel=1e-6)
        assert found[strategy, "uss"] > 1e5
    told = json.loads(as_json.stdout)
    assert told["server"] == quick.identity
    assert [set(figure) <= set(measured.COLUMNS) for figure in told["figures"]] == [True] * len(figures)


def test_a_strategy_without_figures_has_its_reason(server: Server, quick: Server) -> None:
    asked = ("measure", "--strategy", "tests.support.broken_strategies:FAILS", "--dataframe", "none", "--csv")
    ran = poolstart(*asked)
    assert ran.returncode == 1
    for row in rows(ran.stdout):
        assert (row["median"], row["samples"]) == ("", "0")
        assert "a worker of the tests fails" in row["reason"]


def test_results() -> None:
    as_csv, as_json = poolstart("results", "--csv"), poolstart("results", "--json")
    figures = rows(as_csv.stdout)
    assert tuple(figures[0]) == results_report.CSV_COLUMNS
    assert as_csv.stderr == as_json.stderr == ""
    told = json.loads(as_json.stdout)
    assert [list(map(str, figure.values())) for figure in told["figures"]] == [
        list(row.values()) for row in figures
    ]
    newest = results.default(ROOT / "results")
    key = ("startup", "spawn", "none")
    [row] = [
        row
        for row in figures
        if (row["metric"], row["strategy"], row["dataframe"]) == ("startup", "spawn", "none")
    ]
    assert float(row["median"]) == newest.figures[key].median
    assert (float(row["low"]), float(row["high"])) == newest.figures[key].interval
    assert (row["sqlalchemy"], row["unit"]) == (newest.release, "seconds")


def test_hazards(quick: Server) -> None:
    asked = ("hazards", "unpicklable", "shared_socket", "--strategy", "spawn", "--repeat", "2")
    as_csv, as_json = poolstart(*asked, "--csv"), poolstart(*asked, "--json")
    verdicts = rows(as_csv.stdout)
    assert tuple(verdicts[0]) == hazards.COLUMNS
    assert [(row["hazard"], row["strategy"], row["verdict"]) for row in verdicts] == [
        ("unpicklable", "spawn", Verdict.AFFECTED),
        ("shared_socket", "spawn", Verdict.SURVIVES),
    ]
    assert [(row["trials"], row["affected"], row["survives"]) for row in verdicts] == [
        ("2", "2", "0"),
        ("2", "0", "2"),
    ]
    assert {row["severity"] for row in verdicts} <= set(Severity)
    assert [row["expected"] for row in verdicts] == [
        str(record.expected()[row["hazard"], "spawn"]) for row in verdicts
    ]
    assert "trial 4 of 4: " in as_csv.stderr
    told = json.loads(as_json.stdout)
    assert [row["verdict"] for row in told["verdicts"]] == [row["verdict"] for row in verdicts]
    assert len(told["outcomes"]) == 4
    assert told["outcomes"][0]["story"]


@pytest.mark.parametrize("command", ["measure", "results", "hazards"])
def test_one_format_at_a_time(command: str) -> None:
    ran = poolstart(command, "--json", "--csv")
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert "exclude one another" in ran.stderr
