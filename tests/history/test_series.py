"""The series by which releases are compared are those of one driver, Python and profile."""

import json
from pathlib import Path

import pytest

from harness.history import series
from tests.support.results import few


@pytest.mark.parametrize(
    ("part", "tag", "value"),
    [
        ("env_vars", "driver", "asyncpg-0.32.0"),
        ("env_vars", "profile", "quick"),
        ("params", "python", "3.14"),
    ],
)
def test_results_of_another_driver_profile_or_python_add_nothing(
    tmp_path: Path, part: str, tag: str, value: str
) -> None:
    path, *_ = few(tmp_path / "results")
    before = series.load(tmp_path / "results")
    assert before
    content = json.loads(path.read_text())
    content[part][tag] = value
    content["env_name"] += f"-{value}"
    # A release that the reference does not have.
    content["commit_hash"] = "2.1.09"
    path.with_name(f"2.1.09-{content['env_name']}.json").write_text(json.dumps(content))
    assert series.load(tmp_path / "results") == before
