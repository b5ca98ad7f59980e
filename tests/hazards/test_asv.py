"""asv runs the benchmarks of hazards, and stores what the trials found."""

import json
from pathlib import Path

import pytest

from tests.releases.suite import Suite


@pytest.mark.slow
def test_a_verdict_that_changes_with_a_release_shows_as_a_regression(tmp_path: Path) -> None:
    suite = Suite(tmp_path, real=True)
    for release in ("1.4.54", "2.0.0"):
        # asv runs all of a benchmark's hazards, whichever it is asked for.
        command = (
            "run",
            f"{release}^!",
            "-b",
            r"Verdicts.track_verdict\('sqlite_shared', 'fork_|Descriptors",
        )
        done = suite.asv(
            *command, POOLSTART_STRATEGIES="fork_nodispose,fork_dispose", POOLSTART_PROFILE="quick"
        )
        assert done.returncode == 0, done.stdout
    for path in suite.results:
        stored = json.loads(path.read_text())
        columns = stored["results"]["hazards.Descriptors.track_descriptors"]
        row = dict(zip(stored["result_columns"], columns, strict=False))
        values = dict(zip(row["params"][1], row["result"], strict=True))
        assert values["'fork_dispose'"] == 3
    assert suite.asv("publish").returncode == 0
    found = json.loads((tmp_path / ".asv" / "html" / "asv" / "regressions.json").read_text())["regressions"]
    assert [(name, latest, best) for name, _, _, _, latest, best, _ in found] == [
        ("hazards.Verdicts.track_verdict('sqlite_shared', 'fork_nodispose')", 1, 0)
    ]
