"""The workflows are valid, and have no more permissions than they need."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.system.environment import ROOT

WORKFLOWS = ROOT / ".github" / "workflows"
WORKFLOW = WORKFLOWS / "track.yml"
BIN = Path(sys.executable).parent

LINTERS = [
    ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
    ("zizmor", "--offline", "--no-progress"),
]


def lint(linter: tuple[str, ...], workflow: Path) -> int:
    program, *options = linter
    return subprocess.run([BIN / program, *options, workflow], capture_output=True, timeout=300).returncode


@pytest.mark.parametrize("linter", LINTERS, ids=lambda linter: linter[0])
def test_the_workflow_passes_its_linters_and_a_broken_one_does_not(
    linter: tuple[str, ...], tmp_path: Path
) -> None:
    assert lint(linter, WORKFLOW) == 0
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    broken = folder / "track.yml"
    broken.write_text(
        WORKFLOW.read_text()
        .replace("runs-on:", "runs_on:")
        .replace("persist-credentials: false", "clean: true")
    )
    assert lint(linter, broken) != 0


def test_the_workflow_of_the_tests_is_valid_and_runs_each_supported_python() -> None:
    path = WORKFLOWS / "test.yml"
    assert [lint(linter, path) for linter in LINTERS] == [0, 0]
    assert 'python: ["3.11", "3.12", "3.13", "3.14"]' in path.read_text()
    assert ".ci/pythons" in path.read_text()


def test_only_the_job_that_runs_no_package_has_a_token_that_may_write() -> None:
    jobs = WORKFLOW.read_text().partition("\njobs:\n")[2]
    by_name = dict(re.findall(r"^  (\w+):\n((?:    .*\n|\n|  #.*\n)+)", jobs, re.MULTILINE))
    assert list(by_name) == ["list", "measure", "store", "site"]
    writing = {name for name, job in by_name.items() if "contents: write" in job or "github.token" in job}
    assert writing == {"store"}
    assert "uv" not in by_name["store"].split()
    assert {name for name, job in by_name.items() if ".ci/track" in job} == {"list", "measure", "store"}
