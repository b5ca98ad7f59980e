"""`--json`, `--csv`, `--markdown`: standard output is that and nothing else, with the documented columns."""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from harness.answer import results_report
from harness.answer.figures import answers
from harness.cli.commands import app
from harness.comparisons import compare as comparison
from harness.comparisons import report as compared
from harness.comparisons.result import Comparison
from harness.console import terminal
from harness.hazards import expected as record
from harness.hazards.hazard import Severity, Verdict
from harness.postgres.server import Server
from harness.programs import report as programs_report
from tests.support.results import RESULTS


def invoke(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environment)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def listed(command: str, columns: Iterable[str]) -> bool:
    """Whether the help of the command has this list of columns."""
    text = typer.main.get_command(app).commands[command].help  # type: ignore[attr-defined]
    return f": {', '.join(columns)}." in " ".join(text.split())


def test_measure(quick: Server) -> None:
    asked = ("measure", "--strategy", "fork_dispose", "--strategy", "nullpool", "--dataframe", "none")
    ran = invoke(*asked, "--json")
    assert ran.exit_code == 0, ran.stderr
    assert "fork_dispose, dataframe none" in ran.stderr
    parsed = json.loads(ran.stdout)
    assert parsed["server"] == quick.identity
    assert listed("measure", parsed["figures"][0])
    found = {(figure["strategy"], figure["metric"]): figure["median"] for figure in parsed["figures"]}
    assert {strategy for strategy, _ in found} == {"fork_dispose", "nullpool"}
    for strategy in ("fork_dispose", "nullpool"):
        # Seconds that add up, and bytes of a process.
        whole = found[strategy, "startup"] + found[strategy, "first_query"]
        assert whole == pytest.approx(found[strategy, "time_to_first_row"], rel=1e-6)
        assert found[strategy, "uss"] > 1e5


def test_a_strategy_without_figures_has_its_reason_and_the_others_are_measured(quick: Server) -> None:
    fails = "tests.support.broken_strategies:FAILS"
    ran = invoke("measure", "--strategy", fails, "--strategy", "fork_dispose", "--dataframe", "none", "--csv")
    assert ran.exit_code == 1
    for row in rows(ran.stdout):
        has_none = row["strategy"] == fails
        assert (row["median"] == "", row["samples"] == "0") == (has_none, has_none)
        assert ("a worker of the tests fails" in row["reason"]) == has_none


def test_results(capsys: pytest.CaptureFixture[str]) -> None:
    found = answers.of_release(results=RESULTS)
    printed = {}
    for form in ("csv", "json"):
        results_report.print_results(found, form)
        printed[form] = capsys.readouterr().out
    figures = rows(printed["csv"])
    assert listed("results", figures[0])
    parsed = json.loads(printed["json"])
    assert [list(map(str, figure.values())) for figure in parsed["figures"]] == [
        list(row.values()) for row in figures
    ]
    newest = found[0]
    key = ("startup", "spawn", "none")
    [row] = [row for row in figures if (row["metric"], row["strategy"], row["dataframe"]) == key]
    assert float(row["median"]) == newest.figures[key].median
    assert (float(row["low"]), float(row["high"])) == newest.figures[key].span
    assert (row["sqlalchemy"], row["unit"]) == (newest.release, "seconds")


def test_hazards(quick: Server) -> None:
    asked = ("hazards", "unpicklable", "shared_socket", "--strategy", "spawn", "--repeat", "2")
    as_csv, as_json = invoke(*asked, "--csv"), invoke(*asked, "--json")
    assert (as_csv.exit_code, as_json.exit_code) == (0, 0)
    verdicts = rows(as_csv.stdout)
    assert listed("hazards", verdicts[0])
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
    parsed = json.loads(as_json.stdout)
    assert [row["verdict"] for row in parsed["verdicts"]] == [row["verdict"] for row in verdicts]
    assert len(parsed["outcomes"]) == 4
    assert parsed["outcomes"][0]["story"]


READ = (
    "hazards --list",
    "demo",
    "results",
    "changes",
    "strategies",
    "strategies spawn fork_dispose",
    "strategies spawn --driver asyncpg --pooler transaction",
    "releases",
    "record",
)
"""The commands that print tables and measure nothing."""


@pytest.mark.parametrize("command", READ)
def test_every_command_that_prints_a_table_has_every_format(command: str) -> None:
    as_json, as_csv, as_markdown = (
        invoke(*command.split(), f"--{form}", POOLSTART_URL="postgresql://nowhere")
        for form in ("json", "csv", "markdown")
    )
    for ran in (as_json, as_csv, as_markdown):
        assert (ran.exit_code, ran.stderr) == (0, "")
        assert "\x1b" not in ran.stdout
    assert json.loads(as_json.stdout)
    assert rows(as_csv.stdout)
    if command != "demo" and not command.startswith("strategies"):
        assert markdown_tables(as_markdown.stdout)
    assert "\u2500" not in as_markdown.stdout


def markdown_tables(text: str) -> list[list[list[str]]]:
    """The cells of each table; every row of a table has as many as its header."""
    tables = []
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("| ")]
        if lines:
            cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines]
            assert {len(row) for row in cells} == {len(cells[0])}
            assert set(cells[1]) <= {"---", "---:"}
            tables.append(cells)
    return tables


def test_compare(quick: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    measure = comparison.compare

    def compare(*arguments: Any) -> Comparison:
        """Six pairs, however long they take."""
        *others, settings, report = arguments
        return measure(*others, replace(settings, budget=3600, deciding=frozenset()), report)

    monkeypatch.setattr(comparison, "compare", compare)
    asked = ("compare", "fork_dispose", "nullpool", "--vary", "strategy", "--pairs", "6", "--json")
    as_json = invoke(*asked)
    assert as_json.exit_code == 1, as_json.stderr
    parsed = json.loads(as_json.stdout)
    assert parsed["status"] == as_json.exit_code
    assert parsed["server"] == quick.title
    assert {tuple(row) for row in parsed["rows"]} == {compared.COLUMNS}
    assert listed("compare", compared.COLUMNS)
    [row] = [row for row in parsed["rows"] if row["metric"] == "second_query"]
    # NullPool connects again for every query.
    assert (row["strategy"], row["unit"]) == ("fork_dispose -> nullpool", "seconds")
    assert row["ratio"] > 1.5
    assert row["outcome"] in ("worse", "undecided")
    exact = {row["metric"]: (row["before"], row["after"], row["outcome"]) for row in parsed["exact"]}
    assert exact["round_trips_second_query"] == (3, 5, "worse")
    assert exact["modules"] == (0, 0, "passed")


def test_programs_on_record(capsys: pytest.CaptureFixture[str]) -> None:
    table = programs_report.load()
    printed = {}
    for form in ("json", "csv", "markdown"):
        programs_report.write(table, form)
        printed[form] = capsys.readouterr().out
    assert json.loads(printed["json"])["provenance"]
    found = rows(printed["csv"])
    assert len(markdown_tables(printed["markdown"])[0]) == len(found) + 2


def test_a_number_that_is_not_finite_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_json({"a": [float("inf"), (float("nan"), 1.5)], "path": Path("x")})
    assert json.loads(capsys.readouterr().out) == {"a": [None, [None, 1.5]], "path": "x"}


RECORDED = ("bill --workers 8", "explain 2.0.58 2.1.0 --strategy spawn")
"""Further command lines that measure nothing; they may say on standard error what they show."""

TESTED_ABOVE = {"measure", "hazards", "compare", "programs"}
"""Commands that measure: each has a test of its own in this file."""


@pytest.mark.parametrize("command", RECORDED)
def test_what_is_on_record_is_printed_as_json(command: str) -> None:
    ran = invoke(*command.split(), "--json")
    assert ran.exit_code == 0, ran.stderr
    assert json.loads(ran.stdout)


def test_each_command_with_json_is_tested() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    having = {
        name
        for name, command in commands.items()
        if any("--json" in option.opts for option in command.params) and not command.hidden
    }
    assert {line.split()[0] for line in (*READ, *RECORDED)} | TESTED_ABOVE >= having
    assert {"changes", "compare", "record", "results"} <= having
