"""What is kept of exhibits that came out the same every time."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.demos import catalogue
from harness.demos import expected as exhibited
from harness.demos import report as shown
from harness.demos.catalogue import START_METHODS, Exhibit
from harness.demos.runner import Count
from harness.hazards.expected import Setting
from harness.system.errors import PoolstartError

SETTING = Setting("2.1.9", "2026-11-26", "Linux", "3.11.7", "psycopg2 2.9.13", "pandas 3.1.1", "embedded")

ONE = Count(catalogue.get("one_fork"), "fork", cured=False, runs=50, agreed=50, alike=50)


def prove(path: Path, exhibit: Exhibit, setting: Setting = SETTING) -> None:
    for method, cured in product(START_METHODS, (False, True)):
        exhibited.add(Count(exhibit, method, cured, 50, 50, 50), setting, 1, path)


def test_an_exhibit_is_proven_by_every_start_method_as_it_stands_and_cured(tmp_path: Path) -> None:
    path = tmp_path / "exhibits.json"
    exhibited.add(ONE, SETTING, 1, path)
    assert exhibited.load(path)["2.1.9"].exhibits == []
    prove(path, ONE.exhibit)
    assert exhibited.load(path)["2.1.9"].exhibits == [1]


@pytest.mark.parametrize("missing", [*product(START_METHODS, (False, True))], ids=str)
def test_one_program_that_is_missing_leaves_it_unproven(tmp_path: Path, missing: tuple[str, bool]) -> None:
    path = tmp_path / "exhibits.json"
    for method, cured in product(START_METHODS, (False, True)):
        if (method, cured) != missing:
            exhibited.add(Count(ONE.exhibit, method, cured, 50, 50, 50), SETTING, 1, path)
    assert exhibited.load(path)["2.1.9"].exhibits == []


def test_what_was_proven_otherwise_is_not_mixed_with_it(tmp_path: Path) -> None:
    path = tmp_path / "exhibits.json"
    prove(path, ONE.exhibit)
    exhibited.add(replace(ONE, runs=20, agreed=20, alike=20), SETTING, 1, path)
    assert exhibited.load(path)["2.1.9"].programs == (("one_fork", "fork", False),)


@pytest.mark.parametrize("surprise", [{"agreed": 49}, {"alike": 49}], ids=["another end", "another story"])
def test_what_came_out_differently_once_is_proven_no_more(tmp_path: Path, surprise: dict[str, int]) -> None:
    path = tmp_path / "exhibits.json"
    exhibited.add(replace(ONE, **surprise), SETTING, 1, path)
    assert exhibited.load(path) == {}
    prove(path, ONE.exhibit)
    exhibited.add(replace(ONE, **surprise), SETTING, 1, path)
    [proof] = exhibited.load(path).values()
    assert proof.exhibits == []
    assert len(proof.programs) == 2 * len(START_METHODS) - 1


def test_the_list_says_how_often_with_which_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "exhibits.json"
    for exhibit in catalogue.CATALOGUE:
        prove(path, exhibit)
    prove(path, catalogue.get("6"), replace(SETTING, release="2.0.10"))
    prove(path, catalogue.get("4"), replace(SETTING, release="2.0.10"))
    for method, cured in product(START_METHODS, (False, True)):
        few = Count(catalogue.get("4"), method, cured, 3, 3, 3)
        exhibited.add(few, replace(SETTING, release="2.0.9"), 0, path)
    monkeypatch.setattr(exhibited, "load", lambda load=exhibited.load: load(path))
    assert shown.proven() == (
        "Seen to end so and to tell the same story, as it stands and cured, by every start method: with"
        " SQLAlchemy 2.1.9 all of them, 50 times of 50 with a core kept busy (2026-11-26); with SQLAlchemy"
        " 2.0.10 4 and 6, 50 times of 50 with a core kept busy (2026-11-26); with SQLAlchemy 2.0.9 4, 3 times"
        " of 3 (2026-11-26)."
    )


def test_a_record_of_one_run_is_refused_with_what_to_do() -> None:
    with pytest.raises(
        PoolstartError, match="--record keeps what came out the same many times; give --repeat"
    ):
        CliRunner().invoke(app, ["exhibit", "1", "--record"], catch_exceptions=False)
