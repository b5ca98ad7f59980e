"""Injected changes: made in an environment of their own, and compared with what was reported."""

import os
import shutil
import subprocess
import sys
import venv
from math import inf
from pathlib import Path

import pytest
import sqlalchemy
import typing_extensions

from harness.comparisons.compare import ComparisonSettings
from harness.comparisons.judge import ComparisonRow
from harness.comparisons.result import Comparison, Side
from harness.history.sensitivity import injected
from harness.history.sensitivity.injected import INJECTED_CHANGES, NOTHING, InjectedChange, inject
from harness.system.errors import PoolstartError
from tests.support.environments import environment_with

CHANGES = {change.id: change for change in INJECTED_CHANGES}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return shutil.copytree(Path(sqlalchemy.__path__[0]), tmp_path_factory.mktemp("cache") / "sqlalchemy")


@pytest.fixture
def python(cache, tmp_path):
    """An environment whose SQLAlchemy is hard links, as uv makes them."""
    venv.create(tmp_path, symlinks=True)
    [packages] = tmp_path.glob("lib/python*/site-packages")
    shutil.copytree(cache, packages / "sqlalchemy", copy_function=os.link)
    shutil.copy(typing_extensions.__file__, packages)
    return tmp_path / "bin" / "python"


def ask(python, code):
    return subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, timeout=300, check=True
    ).stdout


@pytest.mark.parametrize("id", ["start", "closes", "statement"])
def test_a_change_is_injected_without_touching_what_it_was_linked_to(python, cache, id):
    original = cache / CHANGES[id].file
    before = original.read_text()
    inject(CHANGES[id], python, 0.5)
    assert original.read_text() == before
    changed = Path(ask(python, "import sqlalchemy; print(sqlalchemy.__path__[0])").strip(), CHANGES[id].file)
    assert CHANGES[id].insertion.replace("SECONDS", "0.5") in changed.read_text()
    compiled = Path(changed.parent, "__pycache__", f"{changed.stem}.{sys.implementation.cache_tag}.pyc")
    assert compiled.exists()


def test_what_it_costs_is_what_was_asked_for(python):
    took = "import time; t = time.perf_counter(); import sqlalchemy; print(time.perf_counter() - t)"
    inject(CHANGES["start"], python, 1.0)
    assert float(ask(python, took)) > 1.0


def test_half_a_mebibyte_is_held(python):
    inject(CHANGES["memory"], python)
    assert ask(python, "import sqlalchemy; print(len(sqlalchemy._held))").strip() == str(512 * 1024)


def test_a_sqlalchemy_that_is_not_as_expected_is_told(python):
    strange = InjectedChange("", "", (), (), (), "engine/base.py", "no such line", "pass")
    with pytest.raises(PoolstartError, match="not as expected"):
        inject(strange, python)


def measured(id, rows, rejected=()):
    """The result of an injected change for which a comparison reports these rows and rejections."""
    sides = [Side(name, "2.1.9", Path(sys.executable), ()) for name in ("plain", "changed")]
    compared = Comparison(
        *sides,
        tuple(
            ComparisonRow(
                *(*figure.split(), "none", 10, 1.0, ratio, ratio, ratio, ratio, 0.0, verdict), 0.03, 0.04
            )
            for figure, ratio, verdict in rows
        ),
        0, 1.0, list(rejected), [], (),
    )  # fmt: skip
    return injected.measure(CHANGES[id], *sides, None, None, 10, print, compare=lambda *_, **__: compared)


def test_what_was_expected_is_found_and_all_else_is_unexpected():
    result = measured(
        "start",
        [
            ("startup spawn", 1.05, "slower"),
            ("time_to_first_row spawn", 1.04, "slower"),
            ("uss spawn", 1.0, "same"),
            ("uss fork_dispose", 1.2, "slower"),
        ],
    )
    assert (result.found, result.missed) == (["startup spawn"], [])
    assert result.unexpected == ["uss fork_dispose"]
    assert result.sizes == {
        "startup spawn": 1.05, "time_to_first_row spawn": 1.04, "uss fork_dispose": 1.2,
    }  # fmt: skip


def test_what_was_expected_and_is_not_reported_is_missed():
    result = measured("start", [("startup spawn", 1.05, "cannot tell")])
    assert (result.found, result.missed) == ([], ["startup spawn"])


def test_a_rejection_is_found_by_its_strategy():
    result = measured("closes", [], ["fork_dispose, dataframe none: the parent lost its connection"])
    assert (result.found, result.missed, result.unexpected) == (["rejected fork_dispose"], [], [])


MANY = {"pairs": 10, "worker_factor": 3}


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        # At least ten pairs, then more until the interval is half as wide, either way, as the difference.
        ("start", {**MANY, "tolerate": 0.025, "deciding": {"startup"}}),
        ("query", {**MANY, "tolerate": 0.05, "deciding": {"first_query"}}),
        ("memory", {"pairs": 6, "worker_factor": 1, "tolerate": inf}),
        ("closes", {"pairs": 6, "worker_factor": 1, "tolerate": inf}),
    ],
)
def test_an_obvious_change_takes_few_pairs_of_few_workers(id, expected):
    seen = []

    def compare(plain, changed, server, profile, settings, report):
        seen.append(settings)
        return Comparison(None, None, (), 0, 1.0, [], [], ())

    injected.measure(CHANGES[id], None, None, None, None, 10, print, compare=compare)
    [settings] = seen
    assert isinstance(settings, ComparisonSettings)
    assert {name: getattr(settings, name) for name in expected} == expected


def test_one_more_statement_is_found_by_counting(server, tmp_path):
    plain, changed = (
        Side(change.id, sqlalchemy.__version__, environment_with(tmp_path / change.id, change), ("spawn",))
        for change in (NOTHING, injected.EXTRA_STATEMENT)
    )
    one = injected.measure(injected.EXTRA_STATEMENT, plain, changed, server, None, 10, print)
    assert one.found == ["round_trips_first_query spawn", "statements_first_query spawn"]
    assert (one.missed, one.unexpected) == ([], [])
    assert one.sizes["statements_first_query spawn"] == 13 / 12


def test_of_a_release_compared_with_itself_everything_reported_is_a_false_alarm():
    silent = measured("nothing", [("startup spawn", 1.01, "cannot tell"), ("uss spawn", 1.0, "same")])
    assert (silent.found, silent.missed, silent.unexpected, silent.pairs) == ([], [], [], 10)
    alarmed = measured("nothing", [("startup spawn", 1.05, "slower")])
    assert alarmed.unexpected == ["startup spawn"]
