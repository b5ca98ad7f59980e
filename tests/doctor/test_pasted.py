"""The fix that the doctor prints works: pasted into a program that fails, it makes it succeed."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import indent

import pytest

from harness.doctor import detected
from harness.doctor.proof import frameworks
from harness.doctor.proof.programs import POOLSTART
from harness.postgres.server import Server
from harness.system.environment import environment

PROGRAMS = Path(__file__).with_name("pasted")

FOUND = {
    "process": "shared_socket",
    "pool": "shared_socket",
    "fork": "shared_socket",
    "commit": "uncommitted_parent",
    "engine_per_task": "max_connections",
    "leader": "orphaned_backend",
    "settings": "lost_settings",
    "handed": "unpicklable",
    "keys": "copied_ids",
    "signals": "copied_signals",
    "listener": "missing_thread",
    "locked": "native_lock",
}
"""Programs that need psycopg2 alone, and what the doctor finds first."""

WITH_PACKAGES = {
    "flask_binds": "shared_socket",
    "threaded_pool": "missing_thread",
    "loop": "asyncpg_loop",
}
"""Those that need more."""

CERTAINTIES = {"threaded_pool": ("certain",)}
"""Where more is seen than of the hazard in general: that a worker uses a pool without its threads."""

REGION = re.compile(r"(?ms)^( *)# paste ?([\w ]*)\n.*?^ *# end\n")

TOGETHER = 3
"""Programs that run at the same time: they mostly wait."""


def pasted(text: str, fix: str) -> str:
    """A program with a fix where its user would paste it.

    The fix replaces the lines between two marks, or there are several: each then takes the lines that
    contain its words. An argument for a call, as in `Pool(..., initializer=f)`, goes into that call.
    """
    for call, argument in re.findall(r"(?m)^(?:\w+\.)?(\w+)\(\.\.\., (.*)\)$", fix):
        text = re.sub(rf"(\b{call}\([^)]*)\)", rf"\1, {argument})", text)
    lines = [line for line in fix.splitlines() if "(..., initializer" not in line]

    def lines_for(match: re.Match[str]) -> str:
        wanted = [line for line in lines if match[2] in line]
        return indent("\n".join(wanted), match[1]) + "\n"

    return REGION.sub(lines_for, text)


def run(path: Path, url: str, python: str | Path, report: Path | None = None) -> int:
    """The exit status of a program, perhaps under the doctor."""
    doctor = [*POOLSTART, "doctor", "--json-file", report, "--"] if report else []
    variables = {**environment(PROGRAMS), "VICTIM_URL": url}
    command = [*doctor, python, path]
    return subprocess.run(command, env=variables, capture_output=True, timeout=300, check=False).returncode


def check(name: str, hazard: str, url: str, python: str | Path, directory: Path) -> str:
    """What is wrong: empty if the program fails, its cause is found, and the fix works."""
    report, fixed = directory / "report.json", directory / f"{name}.py"
    directory.mkdir()
    if run(PROGRAMS / f"{name}.py", url, python, report) != 1:
        return "does not fail"
    findings = json.loads(report.read_text())["findings"]
    found = findings and (findings[0]["hazard"], findings[0]["certainty"])
    if found not in [(hazard, each) for each in CERTAINTIES.get(name, detected.rows()[hazard].command)]:
        return f"found: {findings}"
    fixed.write_text(pasted((PROGRAMS / f"{name}.py").read_text(), findings[0]["fix"]))
    if run(fixed, url, python, report) != 0:
        return f"the fix does not work: {fixed.read_text()}"
    again = json.loads(report.read_text())["findings"]
    return (
        f"still found: {again}" if any(each["certainty"] in ("certain", "proven") for each in again) else ""
    )


def check_all(programs: dict[str, str], server: Server, python: str | Path, directory: Path) -> None:
    url = server.sqlalchemy_url("pasted")
    with ThreadPoolExecutor(TOGETHER) as executor:
        found = executor.map(
            lambda name: check(name, programs[name], url, python, directory / name), programs
        )
        assert dict(zip(programs, found, strict=True)) == dict.fromkeys(programs, "")


def test_the_printed_fix_works(server: Server, tmp_path: Path) -> None:
    check_all(FOUND, server, sys.executable, tmp_path)


@pytest.mark.slow
def test_the_printed_fix_works_with_packages(server: Server, tmp_path: Path) -> None:
    check_all(WITH_PACKAGES, server, frameworks.interpreter(), tmp_path)
