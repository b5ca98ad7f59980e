"""Of several series, every page and command shows the same one first."""

import json
import re
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from harness.answer import readme, results_report
from harness.answer.figures import answers, on_record, results
from harness.releases import machine
from harness.site.derived import DERIVED
from harness.site.picture import render as picture
from harness.system import conditions
from harness.system.errors import PoolstartError
from tests.support.results import MACHINE, RESULTS, another_series

EMBEDDED, CONTAINER = "embedded-18.4-tcp-trust", "container-17.12-tcp-scram-sha-256"
MINE = "mine-2c-8g"


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Of another machine, 2.1.9 with both servers; of this machine, 2.0.58 with both."""
    shutil.copy(RESULTS / "benchmarks.json", tmp_path)
    for name, release in ((MACHINE.name, "2.1.09"), (MINE, "2.0.58")):
        (tmp_path / name).mkdir()
        about = json.loads((MACHINE / "machine.json").read_text())
        (tmp_path / name / "machine.json").write_text(json.dumps({**about, "machine": name}))
        for path in MACHINE.glob(f"{release}-*"):
            text = path.read_text().replace(f'"{MACHINE.name}"', f'"{name}"')
            (tmp_path / name / path.name).write_text(text)
    return tmp_path


def chosen(directory: Path, own: str) -> tuple[str, str, str]:
    first = answers.default(directory, own)
    return first.machine["machine"], first.environment["postgres"], first.release


def test_this_machine_comes_first_and_the_embedded_server(several: Path) -> None:
    assert chosen(several, MINE) == (MINE, EMBEDDED, "2.0.58")
    assert chosen(several, "a-third") == (MACHINE.name, EMBEDDED, "2.1.9")
    for path in (several / MINE).glob(f"*{EMBEDDED}*"):
        path.unlink()
    assert chosen(several, MINE) == (MINE, CONTAINER, "2.0.58")


def test_a_release_that_is_named_is_shown_wherever_it_was_measured(several: Path) -> None:
    names = [each.machine["machine"] for each in answers.of_release("2.1.9", several, MINE)]
    assert names == [MACHINE.name] * 2


@pytest.mark.parametrize("own", [MINE, "a-third"])
def test_the_readme_the_site_the_claims_and_the_command_choose_the_same(
    several: Path, own: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "own_name", lambda: own)
    first = answers.default(several)
    bed = on_record.load(several).test_beds[0]
    assert (bed.newest.machine["machine"], bed.server, bed.newest.release) == chosen(several, own)
    for derived in DERIVED:
        if derived.path == "docs/results.md" or derived.region == "poolstart pages: answer":
            assert first.conditions in str(derived.render(several))
    assert f"{first.machine['machine']}, {EMBEDDED}" in picture(first)
    results_report.print_results(answers.of_release(results=several), "table")
    assert capsys.readouterr().out.startswith(first.name)


def test_the_first_line_says_what_is_shown_and_how_to_see_the_others(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answers.of_release(results=several, own=MINE)
    results_report.print_results(found, "table")
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        f"SQLAlchemy 2.0.58 on {MINE}, {EMBEDDED}, Python 3.11, 2026-11-24 (this machine)."
    )
    assert f"SQLAlchemy 2.1.9 on {MACHINE.name}, {CONTAINER}, Python 3.11" in first
    assert first.endswith("`--all` shows all.")
    results_report.print_results(found, "table", everything=True)
    assert capsys.readouterr().out.startswith("4 series")


def test_csv_tells_series_apart(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answers.of_release(results=several, own=MINE)
    results_report.print_results(found, "csv", everything=True)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert {tuple(line.split(",")[1:4]) for line in lines} == {
        (server, name, "3.11") for server in (EMBEDDED, CONTAINER) for name in (MACHINE.name, MINE)
    }
    results_report.print_results(found, "csv")
    assert {line.split(",")[2] for line in capsys.readouterr().out.splitlines()[1:]} == {MINE}


def test_the_name_of_this_machine_is_looked_up_without_storing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert machine.own_name() == machine.describing_name(machine.Machine.get_defaults())
    assert list(tmp_path.iterdir()) == []


def test_results_of_a_busy_machine_say_so_before_the_figures_and_recommend_nothing(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = answers.default(several, MINE)
    rows = conditions.load(MACHINE)
    [row] = [
        row for (release, environment), row in rows.items() if release == "2.0.58" and EMBEDDED in environment
    ]
    assert "further checkout" in results_report.page(first)
    assert "busy:" not in results_report.page(first)
    conditions.save(several / MINE, {**row, "busy": "tasks waited for a processor in 99% of the time"})
    busy = answers.default(several, MINE)
    results_report.print_results([busy], "table")
    assert capsys.readouterr().out.splitlines()[2].startswith("busy: tasks waited for a processor in 99%")
    results_report.print_results([busy], "csv")
    assert capsys.readouterr().err.startswith("poolstart: busy: tasks waited")
    assert readme.answer(busy).startswith("busy: tasks waited")
    assert "further checkout" not in results_report.page(busy)
    assert "busy: tasks waited" in results_report.page(busy).partition("|")[0]


FAILED = {"date": "2026-11-28 10:00 UTC", "reason": "cells made no progress for 600 s, so it was killed"}


def fail(directory: Path, release: str, **fields: object) -> None:
    """Put on file that the run of a release on this machine failed."""
    conditions.save(
        directory / MINE,
        {"release": release, "environment": environment_of(directory), "failed": FAILED, **fields},
    )


def environment_of(directory: Path) -> str:
    return answers.default(directory, MINE).environment_name


def test_a_failed_run_of_a_newer_release_is_reported_before_the_figures(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(several, "2.1.0")
    found = answers.of_release(results=several, own=MINE)
    results_report.print_results(found, "table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"SQLAlchemy 2.0.58 on {MINE}")
    assert lines[2].startswith(
        f"The run of SQLAlchemy 2.1.0 on {MINE}, 2026-11-28 10:00 UTC, failed: cells made"
    )
    assert lines[2].endswith("measure it again by `asv run 2.1.0^!`.")
    results_report.print_results(found, "csv")
    assert "failed: cells made no progress" in capsys.readouterr().err
    results_report.print_results(found, "json")
    assert "cells made no progress" in json.loads(capsys.readouterr().out)["reports"][0]["failed"]
    assert "cells made no progress" in readme.answer(found[0]).partition("|")[0]


def test_a_failed_run_of_an_older_release_or_another_series_is_not_reported(several: Path) -> None:
    fail(several, "1.4.54")
    fail(several, "2.1.0", environment="release-py3.11-profilequick")
    assert answers.default(several, MINE).failed == ""


def test_the_reason_is_given_for_a_release_whose_only_run_failed(several: Path) -> None:
    fail(several, "2.1.0")
    with pytest.raises(
        PoolstartError, match=r"2\.1\.0 has not been measured: cells made no progress .*; measure it by"
    ):
        answers.of_release("2.1.0", several, MINE)


def test_a_file_of_nulls_is_no_result(several: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in several.glob("*/*-*.json"):
        content = json.loads(path.read_text())
        content["results"] = {name: [None, *row[1:4]] for name, row in content["results"].items()}
        path.write_text(json.dumps(content))
    with pytest.raises(PoolstartError, match="there are no results yet; measure by"):
        answers.of_release(results=several, own=MINE)


def test_a_cell_that_failed_says_so_and_a_table_without_rows_is_left_out(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after a run with `--strategy`: nothing with a DataFrame, and one cell that failed."""
    for path in several.glob(f"{MINE}/*-*.json"):
        content = json.loads(path.read_text())
        for row in content["results"].values():
            keep(row, lambda names: "'large'" not in names and "'spawn'" not in names)
        path.write_text(json.dumps(content))
    conditions.save(
        several / MINE,
        {
            "release": "2.0.58",
            "environment": environment_of(several),
            "rejected": {"spawn.none": "spawn, dataframe none: the worker hung"},
        },
    )
    shown = answers.default(several, MINE)
    results_report.print_results([shown], "table")
    text = capsys.readouterr().out
    assert results.DATAFRAME_TITLES["none"] in text
    assert results.DATAFRAME_TITLES["large"] not in text
    assert re.search(r"^spawn +failed", text, re.MULTILINE)
    assert text.rstrip().endswith("failed: spawn, dataframe none: the worker hung")
    assert "| `spawn` | " in readme.answer(shown)
    assert "failed" in results_report.page(shown)
    assert results.DATAFRAME_TITLES["large"] not in results_report.page(shown)


def keep(row: list[Any], wanted: Callable[[tuple[str, ...]], bool]) -> None:
    """Replace the values of a stored benchmark by null where its parameters are not wanted."""
    kept = [wanted(names) for names in product(*row[1])]
    for place, values in enumerate(row):
        if place != 1 and isinstance(values, list) and len(values) == len(kept):
            row[place] = [value if keep else None for value, keep in zip(values, kept, strict=True)]


def measured_here(directory: Path, python: str, driver: str = "") -> None:
    """2.1.9 on this machine, under a Python and with a driver."""
    (source,) = (directory / MACHINE.name).glob(f"2.1.09-*{EMBEDDED}*")
    another_series(source, directory / MINE, python, driver)


def test_a_machine_that_has_only_another_python_and_driver_does_not_replace_the_answer(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (several / MINE).glob("2.0.58-*"):
        path.unlink()
    measured_here(several, "3.14")
    measured_here(several, "3.11", "asyncpg-0.32.0")
    assert chosen(several, MINE) == (MACHINE.name, EMBEDDED, "2.1.9")
    found = answers.of_release(results=several, own=MINE)
    assert [each.combination for each in found] == [("psycopg2", "3.11")] * 2 + [("psycopg2", "3.14")]
    assert on_record.load(several, MINE).test_beds[0].python == "3.11"
    # The command shows what was measured here first, and names the others.
    results_report.print_results(answers.own_first(found), "table")
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"SQLAlchemy 2.1.9 on {MINE}, {EMBEDDED}, Python 3.14, ")
    assert f"SQLAlchemy 2.1.9 on {MACHINE.name}, {EMBEDDED}, Python 3.11" in first


def test_a_series_of_many_releases_is_the_answer_wherever_pages_are_written(several: Path) -> None:
    for path in MACHINE.glob(f"2.1.0*{EMBEDDED}*"):
        shutil.copy(path, several / MACHINE.name)
    measured_here(several, "3.11")
    assert chosen(several, MINE) == (MACHINE.name, EMBEDDED, "2.1.9")
    assert on_record.load(several, MINE).test_beds[0].newest.machine["machine"] == MACHINE.name
    assert answers.own_first(answers.of_release(results=several, own=MINE))[0].machine["machine"] == MINE


def test_figures_of_an_older_benchmark_are_in_no_answer_and_on_no_page(several: Path) -> None:
    path = several / "benchmarks.json"
    benchmarks = json.loads(path.read_text())
    benchmarks["query.Query.track_second_query"]["version"] = "of tomorrow"
    path.write_text(json.dumps(benchmarks))
    found = answers.default(several, MINE)
    assert found.of("second_query", "spawn") is None
    assert found.of("first_query", "spawn")


def test_a_damaged_file_is_named_and_the_others_are_read(
    several: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = (several / MINE).glob(f"*{CONTAINER}*")
    path.write_text("{")
    assert answers.default(several, MINE).release == "2.0.58"
    assert f"{path.name}" in capsys.readouterr().err
    assert any(path.name in remark for remark in on_record.load(several, MINE).remarks)


def test_results_of_another_driver_are_named_and_found_apart(several: Path) -> None:
    measured_here(several, "3.11", "asyncpg-0.32.0")
    measured_here(several, "3.14", "psycopg_pure-3.3.9")
    found = answers.of_other_drivers(on_record.load(several, MINE))
    assert [each.combination for each in found] == [("asyncpg", "3.11"), ("psycopg_pure", "3.14")]
    assert [each.conditions.split(", ")[1:3] for each in found] == [
        ["asyncpg 0.32.0", "Python 3.11"],
        ["psycopg_pure 3.3.9", "Python 3.14"],
    ]
    assert [each.conditions.rpartition(", by ")[2] for each in found] == [
        "`POOLSTART_DRIVER=asyncpg uv run asv run`",
        "`POOLSTART_DRIVER=psycopg_pure uv run --python 3.14 asv run`",
    ]
    assert {each.combination for each in answers.of_release(results=several, own=MINE)} == {
        ("psycopg2", "3.11")
    }
