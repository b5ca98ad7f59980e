"""Programs with other versions of Python and SQLAlchemy are observed, from those of their own environment."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.doctor.proof.programs import observed
from harness.postgres.server import Server
from harness.releases.venvs import python_with
from harness.system.environment import ROOT
from tests.support.snippets import interpreter

VERSIONS = {
    "3.9": "1.4.54",
    "3.10": "2.0.58",
    "3.12": "1.4.54",
    "3.13": "2.0.58",
    "3.14": "2.1.9",
    "3.15": "2.1.9",
}
"""Of Python and SQLAlchemy: the oldest and the newest, and some between."""

PROGRAMS = {
    ("fork", "broken"): ["shared_socket certain"],
    ("fork", "fixed"): [],
    ("random_numbers", "broken"): ["copied_ids risk"],
}
"""What is found of these victims, which use what differs between versions: pools, forks, state."""

TOGETHER = 3


def python_of(version: str, sqlalchemy: str) -> Path | None:
    """An environment, which is kept; None if there is no such Python."""
    by = interpreter(version)
    if not by:
        return None
    home = ROOT / ".asv" / "versions" / f"{version}-{sqlalchemy}"
    home.parent.mkdir(parents=True, exist_ok=True)
    return python_with([f"sqlalchemy=={sqlalchemy}", "psycopg2-binary"], home, by=by)


@pytest.mark.slow
def test_from_1_4_and_3_9_on_the_same_is_found(server: Server, tmp_path: Path) -> None:
    pythons = {(p, s): found for p, s in VERSIONS.items() if (found := python_of(p, s))}
    assert pythons, "there is none of these Pythons"

    def look(job: tuple[tuple[str, str], tuple[str, str]]) -> list[str]:
        versions, (name, variant) = job
        file = tmp_path / "-".join([*versions, name, variant])
        url = server.sqlalchemy_url("victim").partition("?")[0]
        report = observed(name, variant, url, file, python=pythons[versions])
        return [f"{finding['hazard']} {finding['certainty']}" for finding in report["findings"]]

    jobs = [(versions, program) for versions in pythons for program in PROGRAMS]
    with ThreadPoolExecutor(TOGETHER) as executor:
        found = dict(zip(jobs, executor.map(look, jobs), strict=True))
    assert found == {job: PROGRAMS[job[1]] for job in jobs}


@pytest.mark.slow
def test_an_older_sqlalchemy_is_left_alone(server: Server, tmp_path: Path) -> None:
    python = python_of("3.9", "1.3.24")
    if not python:
        pytest.skip("there is no Python 3.9")
    observed("fork", "broken", server.sqlalchemy_url("victim"), tmp_path / "report", python=python)
    for finding in json.loads((tmp_path / "report").read_text())["findings"]:
        # By the kernel alone: no event of a pool was listened to.
        assert "opened" not in " ".join(finding["evidence"])
