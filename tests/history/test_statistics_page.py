"""docs/statistics.md and docs/track.md: the numbers in them are those of the code."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.compare import compare as command
from harness.comparisons import compare, judge
from harness.history import changes, paired, reference
from harness.instructions import remote, table
from harness.lifecycles import blocks, metrics, plan
from harness.system.environment import ROOT
from tests.support import snippets
from tests.support.results import few

TEXT, TRACK = (" ".join((ROOT / "docs" / name).read_text().split()) for name in ("statistics.md", "track.md"))

DEFAULT = inspect.signature(command).parameters
"""The options of `poolstart compare`."""


@pytest.mark.parametrize(
    "statement",
    [
        f"more than {blocks.MAX_STEAL:.0%} of the time".replace("%", " %"),
        f"{blocks.MAX_EXTRA_PRESSURE * 100:.0f} percentage points longer",
        f"more than {blocks.MAX_CONTROL_RATIO} times its median",
        f"wider than {plan.MAX_REL_CI * 100:.0f} % on either side",
        f"| times | {metrics.MIN_RELATIVE_CHANGE['seconds'] * 100:.0f} % | "
        f"{metrics.MIN_ABSOLUTE_CHANGE['seconds'] * 1e6:.0f} microseconds |",
        f"| memory | {metrics.MIN_RELATIVE_CHANGE['bytes'] * 100:.1f} % | "
        f"{metrics.MIN_ABSOLUTE_CHANGE['bytes'] / 1024:.0f} KiB",
        f"{reference.SCREENING} pairs of parents of the release and the **reference**, SQLAlchemy "
        f"{reference.REFERENCE}",
        f"A parent starts {reference.FORKS} workers, or {reference.BOOTS} that boot an interpreter",
        f"p < {paired.SCREEN_P}, by at least",
        f"{reference.DECIDING} more pairs of both decide",
        f"**Direct pairs**, {reference.NEWEST} of the newest release",
        f"a session has at most {reference.SESSION} pairs",
        "p < 0.0001 and it is not smaller",
        f"p ≤ {paired.RELEASE_P:.5f} / m",
        f"one of {1 / paired.RELEASE_P:,.0f} releases",
        f"less than {changes.MIN_COUNT_CHANGE * 100:.0f} %, and the garbage collections",
        f"{judge.FALSE_ALARM_RATE} / (number of tests left)",
    ],
)
def test_a_number_on_the_page_is_that_of_the_code(statement: str) -> None:
    assert statement in TEXT


@pytest.mark.parametrize(
    "statement",
    [
        f"(`--tolerate`, {DEFAULT['tolerate'].default.replace('%', ' %')} by default)",
        f"(`--minutes`, {DEFAULT['minutes'].default} by default",
        f"less than {metrics.MIN_RELATIVE_CHANGE['seconds'] * 100:.0f} % or "
        f"{metrics.MIN_ABSOLUTE_CHANGE['seconds'] * 1e6:.0f} microseconds of a time, and less than "
        f"{metrics.MIN_RELATIVE_CHANGE['bytes'] * 100:.1f} % or "
        f"{metrics.MIN_ABSOLUTE_CHANGE['bytes'] / 1024:.0f} KiB of memory",
        f"of {1 / judge.FALSE_ALARM_RATE:.0f} comparisons of something with itself",
        f"fails in {judge.POWER * 10:.0f} of 10 such comparisons",
        f"any difference of more than {table.MIN_CHANGE * 100:.1f} % has a verdict",
        f"by more than {remote.TOLERATED * 100:.1f} % in any phase",
        f"the tolerance is at least {metrics.MIN_ABSOLUTE_CHANGE['bytes'] / 1024:.0f} KiB",
    ],
)
def test_a_number_of_the_page_on_tracking_is_that_of_the_code(statement: str) -> None:
    assert statement in TRACK


def test_what_sessions_differ_by_is_that_of_the_record() -> None:
    sessions = paired.of_sessions(reference.load())
    cpu, memory = (sessions[metric, False].variance ** 0.5 * 100 for metric in ("cpu_first_row", "uss"))
    assert f"differs by {cpu:.1f} % and their unique memory by {memory:.1f} %" in TEXT


def test_numbers_in_words_are_those_of_the_code() -> None:
    assert reference.NEWEST / reference.SESSION == 6, "six sessions"
    assert paired.MAX_P == 0.0001
    assert judge.MIN_PAIRS == 6, "six pairs"
    assert (judge.POWER, judge.FALSE_ALARM_RATE / 2) == (0.8, 0.01), "80 % probability, t(1 - 0.01/m)"
    assert compare.WORKER_FACTOR == 3, "three times the workers"
    assert compare.ComparisonSettings().pairs == 10, "ten by default"
    assert compare.ComparisonSettings().tolerate == 0.03, "3 % by default"


def test_the_program_on_the_page_prints_the_samples_of_each_cell(tmp_path: Path) -> None:
    (path,) = few(tmp_path / "results", 1)
    content = json.loads(path.read_text())
    row = content["results"]["startup.Startup.track_time_to_first_row"]
    places = dict(zip(content["result_columns"], range(len(row) + 1), strict=False))
    row += [None] * (places["samples"] + 1 - len(row))
    row[places["samples"]] = [[0.5, 0.25, cell] for cell in range(len(row[places["result"]]))]
    path.write_text(json.dumps(content))
    (program,) = snippets.blocks(ROOT / "docs" / "statistics.md")
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    assert first == "2.1.00 fork_nodispose none 0.5 0.25 0.0"
    assert last == "2.1.00 nullpool large 0.5 0.25 11.0"
