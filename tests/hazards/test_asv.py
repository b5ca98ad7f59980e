"""asv runs the benchmarks of hazards and stores the outcomes of the trials."""

import json
import re
from itertools import product
from pathlib import Path

import pytest
from asv import util

from harness.hazards.all.interleaved import PAIRS
from harness.system.environment import ROOT
from tests.support.suite import Suite


def test_asv_looks_for_changes_of_verdicts_alone() -> None:
    configured = util.load_json(str(ROOT / "asv.conf.json"), js_comments=True)["regressions_first_commits"]

    def is_left_out(name: str) -> bool:
        return any(re.match(pattern, name) and commit is None for pattern, commit in configured.items())

    assert not is_left_out("hazards.Verdicts.track_verdict")
    # The rate of a race varies by itself.
    assert is_left_out("hazards.Rates.track_rate")
    assert is_left_out("startup.Startup.track_startup")


@pytest.mark.slow
def test_a_verdict_that_changes_with_a_release_shows_as_a_regression(tmp_path: Path) -> None:
    suite = Suite(tmp_path, real=True)
    # asv runs all of a benchmark's hazards, whichever it is asked for.
    asked = r"Verdicts.track_verdict\('sqlite_shared', 'fork_|Rates.track_rate\('errors', 'fork_nodispose"
    for release in ("1.4.54", "2.0.0"):
        done = suite.asv(
            *("run", f"{release}^!", "-b", asked),
            POOLSTART_STRATEGIES="fork_nodispose",
            POOLSTART_PROFILE="quick",
        )
        assert done.returncode == 0, done.stdout
    for path in suite.results:
        stored = json.loads(path.read_text())
        columns = stored["results"]["hazards.Rates.track_rate"]
        row = dict(zip(stored["result_columns"], columns, strict=False))
        figures, names = row["params"]
        rates = dict(zip(product(figures, names), row["result"], strict=True))
        assert rates["'errors'", "'fork_nodispose'"] * PAIRS in range(PAIRS + 1)
    assert suite.asv("publish").returncode == 0
    found = json.loads((tmp_path / ".asv" / "html" / "asv" / "regressions.json").read_text())["regressions"]
    assert [(name, latest, best) for name, _, _, _, latest, best, _ in found] == [
        ("hazards.Verdicts.track_verdict('sqlite_shared', 'fork_nodispose')", 1, 0)
    ]
