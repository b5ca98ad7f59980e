"""The answer's figures, calculated again from the files of results, without any code that wrote README.md."""

import csv
import io
import json
import re
from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import product
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.system.environment import ROOT

COLUMNS = {
    "first row, ms": ("time_to_first_row", "none", 1e3),
    "with a DataFrame": ("time_to_first_row", "large", 1e3),
    "second query, ms": ("second_query", "none", 1e3),
    "unique memory, MiB": ("uss", "none", 2**-20),
    "memory after GC, MiB": ("uss_collected", "none", 2**-20),
}

ALIKE = {"fork_nodispose": {"fork_nodispose", "fork_dispose"}, "forkserver": {"forkserver", "spawn"}}
"""Strategies that no pairs are measured of, with those that run the same code."""


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text().partition("<!-- poolstart pages: answer -->")[2]


@pytest.fixture(scope="module")
def files(readme: str) -> dict[tuple[int, ...], dict[str, Any]]:
    """The files of the series that README.md shows, by release."""
    found = re.search(
        r"SQLAlchemy [\d.]+, psycopg2-binary (\S+), Python (\S+), PostgreSQL (\S+), pandas", readme
    )
    assert found
    driver, python, server = found.groups()
    name = f"*-py{python}-numpy*-psycopg2-binary{driver}-postgres{server}.json"
    paths = list(Path(ROOT, "results").glob(f"*/{name}"))
    machine, _ = Counter(path.parent.name for path in paths).most_common(1)[0]
    ours = [path for path in paths if path.parent.name == machine]
    return {version(path.name.partition("-")[0]): json.loads(path.read_text()) for path in ours}


@pytest.fixture(scope="module")
def last_changes() -> list[dict[str, str]]:
    ran = CliRunner().invoke(app, ["changes", "--csv"])
    assert ran.exit_code == 0
    return list(csv.DictReader(io.StringIO(ran.stdout)))


def cells(file: dict[str, Any], metric: str) -> dict[tuple[str, ...], list[float]]:
    """Of each parent of a release; its median as often as there were parents if these are not stored."""
    (row,) = (row for name, row in file["results"].items() if name.endswith(f".track_{metric}"))
    columns = dict(zip(file["result_columns"], row, strict=False))
    stored = columns.get("samples") or [None] * len(columns["result"])
    places = product(*([name.strip("'") for name in names] for names in columns["params"]))
    return {
        place: samples or [median] * repeat
        for place, samples, median, repeat in zip(
            places, stored, columns["result"], columns["stats_repeat"], strict=True
        )
    }


def rows(readme: str) -> list[dict[str, str]]:
    lines = [line for line in readme.splitlines() if line.startswith("| ")]
    head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[:8])
    return [dict(zip(head, row, strict=True)) for row in body]


def rounded(value: float) -> str:
    exact = Decimal(value)
    return str(exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), ROUND_HALF_EVEN).normalize())


def test_the_readme_has_the_geometric_means_since_the_last_change(
    readme: str, files: dict[tuple[int, ...], dict[str, Any]], last_changes: list[dict[str, str]]
) -> None:
    table, first = rows(readme), set()
    assert len(table) == 6
    for row in table:
        strategy = row["strategy"].strip("`")
        alike = ALIKE.get(strategy, {strategy})
        for title, (metric, dataframe, factor) in COLUMNS.items():
            since = max(
                version(change["release"])
                for change in last_changes
                # Counts have no pairs: whatever changed a strategy's work may have changed its figures.
                if change["strategy"] in alike and (change["figure"] == metric or not change["pairs"])
            )
            parents = [
                value
                for release, file in files.items()
                if release >= since
                for value in cells(file, metric)[strategy, dataframe]
            ]
            first.add(since)
            shown = Decimal(row[title]).normalize()
            assert str(shown) == rounded(geometric_mean(parents) * factor), (strategy, title)
    named = re.search(
        r"to two digits: .*? changed the figure \(([\d.]+)(?: or ([\d.]+))? to [\d.]+\)", readme
    )
    assert named
    assert {version(name) for name in named.groups() if name} == {min(first), max(first)}
