"""The record of demos that came out the same in every run."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from harness.demos import catalogue, expected, report
from harness.demos.catalogue import START_METHODS, Demo
from harness.demos.repeat import DemoRepetition
from harness.records.provenance import Provenance

PROVENANCE = Provenance(
    "2.1.9", "2026-11-26", "Linux", "3.11.7", "psycopg2 2.9.13", "pandas 3.1.1", "embedded"
)

ONE = DemoRepetition(catalogue.get("one_fork"), "fork", cured=False, runs=50, as_expected=50, same_story=50)


def prove(path: Path, demo: Demo, provenance: Provenance = PROVENANCE) -> None:
    for method, cured in product(START_METHODS, (False, True)):
        expected.add([DemoRepetition(demo, method, cured, 50, 50, 50)], provenance, 1, path)


def test_a_demo_is_proven_by_every_start_method_as_it_stands_and_cured(tmp_path: Path) -> None:
    path = tmp_path / "demos.json"
    expected.add([ONE], PROVENANCE, 1, path)
    assert expected.load(path)["2.1.9"].demos == []
    prove(path, ONE.demo)
    assert expected.load(path)["2.1.9"].demos == [1]


@pytest.mark.parametrize("missing", [*product(START_METHODS, (False, True))], ids=str)
def test_a_demo_with_a_missing_program_is_not_proven(tmp_path: Path, missing: tuple[str, bool]) -> None:
    path = tmp_path / "demos.json"
    for method, cured in product(START_METHODS, (False, True)):
        if (method, cured) != missing:
            expected.add([DemoRepetition(ONE.demo, method, cured, 50, 50, 50)], PROVENANCE, 1, path)
    assert expected.load(path)["2.1.9"].demos == []


def test_proofs_of_another_number_of_runs_are_replaced_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "demos.json"
    prove(path, ONE.demo)
    expected.add([replace(ONE, runs=20, as_expected=20, same_story=20)], PROVENANCE, 1, path)
    assert expected.load(path)["2.1.9"].programs == (("one_fork", "fork", False),)


@pytest.mark.parametrize(
    "surprise", [{"as_expected": 49}, {"same_story": 49}], ids=["another end", "another story"]
)
def test_one_run_that_differs_removes_the_proof(tmp_path: Path, surprise: dict[str, int]) -> None:
    path = tmp_path / "demos.json"
    expected.add([replace(ONE, **surprise)], PROVENANCE, 1, path)
    assert expected.load(path) == {}
    prove(path, ONE.demo)
    expected.add([replace(ONE, **surprise)], PROVENANCE, 1, path)
    [proof] = expected.load(path).values()
    assert proof.demos == []
    assert len(proof.programs) == 2 * len(START_METHODS) - 1


def test_the_list_gives_releases_and_numbers_of_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "demos.json"
    for demo in catalogue.CATALOGUE:
        prove(path, demo)
    prove(path, catalogue.get("6"), replace(PROVENANCE, release="2.0.10"))
    prove(path, catalogue.get("4"), replace(PROVENANCE, release="2.0.10"))
    for method, cured in product(START_METHODS, (False, True)):
        few = DemoRepetition(catalogue.get("4"), method, cured, 3, 3, 3)
        expected.add([few], replace(PROVENANCE, release="2.0.9"), 0, path)
    monkeypatch.setattr(expected, "load", lambda load=expected.load: load(path))
    assert report.proven() == (
        "On record, every run ended as stated, with the same story, cured or not, by every start method:"
        " all demos with SQLAlchemy 2.1.9 (50 of 50 runs, a core kept busy, 2026-11-26);"
        " demos 4 and 6 with SQLAlchemy 2.0.10 (50 of 50 runs, a core kept busy, 2026-11-26);"
        " demo 4 with SQLAlchemy 2.0.9 (3 of 3 runs, 2026-11-26)."
    )


def test_a_demo_that_is_repeated_later_has_its_own_provenance(tmp_path: Path) -> None:
    path = tmp_path / "demos.json"
    for number in ("1", "2"):
        prove(path, catalogue.get(number))
    later = replace(PROVENANCE, date="2027-01-31")
    repetitions = [
        DemoRepetition(ONE.demo, method, cured, 50, 50, 50)
        for method, cured in product(START_METHODS, (False, True))
    ]
    expected.add(repetitions, later, 1, path)
    proof = expected.load(path)["2.1.9"]
    assert (proof.provenance, proof.later["one_fork"]) == (PROVENANCE, later)
