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
from tests.support.victims import unexpected

VERSIONS = {
    "3.9": "1.4.54",
    "3.10": "2.0.58",
    "3.12": "1.4.54",
    "3.13": "2.0.58",
    "3.14": "2.1.9",
    "3.15": "2.1.9",
}
"""Of Python and SQLAlchemy: the oldest and the newest, and some between."""

PROGRAMS = ("fork", "closed", "descriptor", "engines", "handed", "lazy_executor", "listener", "lost",
            "random_numbers", "session", "settings", "signalled", "startup_race", "transaction")  # fmt: skip
"""Victims of most hazards. Each is run with the oldest versions, and with one of the others in turn."""

TOGETHER = 5


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
    pythons = [python for p, s in VERSIONS.items() if (python := python_of(p, s, tmp_path))]
    assert pythons, "there is none of these Pythons"
    url = server.sqlalchemy_url("victim").partition("?")[0]

    def look(job: tuple[Path, str, str]) -> object:
        python, name, variant = job
        file = tmp_path / f"{python.parts[-3]}-{name}-{variant}.json"
        return unexpected(name, variant, observed(name, variant, url, file, python=python))

    oldest, *others = pythons
    jobs = [
        (python, name, variant)
        for number, name in enumerate(PROGRAMS)
        for python in (oldest, (others or pythons)[number % max(1, len(others))])
        for variant in ("broken", "fixed")
    ]
    with ThreadPoolExecutor(TOGETHER) as executor:
        found = dict(zip(jobs, executor.map(look, jobs), strict=True))
    assert found == dict.fromkeys(jobs, "")


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
