"""Programs with other versions of Python and SQLAlchemy are observed, from those of their own environment."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from uv import find_uv_bin

from harness.doctor.proof.programs import POOLSTART, observed
from harness.postgres.server import Server
from harness.system.environment import environment
from tests.support.pythons import interpreter

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


def python_of(version: str, sqlalchemy: str, directory: Path) -> Path | None:
    """The interpreter of a new environment; None if there is no such Python."""
    by, home = interpreter(version), directory / f"{version}-{sqlalchemy}"
    if not by:
        return None
    python = home / "bin" / "python"
    for arguments in (
        ("venv", "--quiet", "--python", by, home),
        ("pip", "install", "--quiet", "--python", python, f"sqlalchemy=={sqlalchemy}", "psycopg2-binary"),
    ):
        subprocess.run([find_uv_bin(), *arguments], check=True, timeout=300)
    return python


@pytest.mark.slow
def test_from_1_4_and_3_9_on_the_same_is_found(server: Server, tmp_path: Path) -> None:
    pythons = {(p, s): found for p, s in VERSIONS.items() if (found := python_of(p, s, tmp_path))}
    assert pythons, "there is none of these Pythons"

    def look(job: tuple[tuple[str, str], tuple[str, str]]) -> list[str]:
        versions, (name, variant) = job
        file = tmp_path / f"{'-'.join([*versions, name, variant])}.json"
        url = server.sqlalchemy_url("victim").partition("?")[0]
        report = observed(name, variant, url, file, python=pythons[versions])
        return [f"{finding['hazard']} {finding['certainty']}" for finding in report["findings"]]

    jobs = [(versions, program) for versions in pythons for program in PROGRAMS]
    with ThreadPoolExecutor(TOGETHER) as executor:
        found = dict(zip(jobs, executor.map(look, jobs), strict=True))
    assert found == {job: PROGRAMS[job[1]] for job in jobs}


OLD = """
import os
import sqlalchemy
engine = sqlalchemy.create_engine(os.environ["VICTIM_URL"])
engine.execute("select 1").close()
if os.fork():
    os.wait()
else:
    engine.execute("select 1").close()
    os._exit(0)
"""


@pytest.mark.slow
def test_an_older_sqlalchemy_is_left_alone(server: Server, tmp_path: Path) -> None:
    python, report = python_of("3.9", "1.3.24", tmp_path), tmp_path / "report.json"
    if not python:
        pytest.skip("there is no Python 3.9")
    command = [*POOLSTART, "doctor", "--json-file", report, "--", python, "-c", OLD]
    variables = {**environment(), "VICTIM_URL": server.sqlalchemy_url("victim")}
    subprocess.run(command, env=variables, check=True, timeout=300)
    assert json.loads(report.read_text())["findings"] == []
