"""A demo run many times: how often it ended as expected, and printed the same story."""

import os
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
import sqlalchemy
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.demos import catalogue, expected, repeat, runner
from harness.demos.catalogue import START_METHODS, End
from harness.demos.repeat import DemoRepetition
from harness.demos.runner import DemoRun
from harness.hazards.inside.story import StoryEvent
from harness.records import session
from harness.records.provenance import Provenance

ONE = catalogue.get("held_lock")


def ended(end: End, *lines: str) -> DemoRun:
    return DemoRun(end, tuple(StoryEvent("worker", line) for line in lines), "", 0.1)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[DemoRun]], list[DemoRepetition]]:
    """Repeats a demo whose runs end with these results, as it stands and then cured."""

    def repeated(some: list[DemoRun]) -> list[DemoRepetition]:
        left = iter([*some, *some])
        monkeypatch.setattr(repeat, "JOBS", 1)
        monkeypatch.setattr(runner, "run", lambda *_, **__: next(left))
        return list(repeat.repeat([ONE], ["fork"], len(some), server=None))  # type: ignore[arg-type]

    return repeated


def test_runs_that_end_as_expected_with_one_story_agree(
    runs: Callable[[list[DemoRun]], list[DemoRepetition]],
) -> None:
    [stands, cured] = runs([ended(End.HUNG, "Process 17 waits."), ended(End.HUNG, "Process 4 waits.")])
    assert stands == DemoRepetition(ONE, "fork", cured=False, runs=2, as_expected=2, same_story=2)
    assert not stands.surprising
    # It must hang as it stands, and must not when it is cured.
    assert cured == DemoRepetition(ONE, "fork", cured=True, runs=2, as_expected=0, same_story=2)
    assert cured.surprising


@pytest.mark.parametrize(
    ("other", "agreed"),
    [(ended(End.HUNG, "It sleeps."), 2), (ended(End.TIMED_OUT, "It waits."), 1)],
    ids=["another story", "another end"],
)
def test_one_run_that_differs_is_a_surprise(
    runs: Callable[[list[DemoRun]], list[DemoRepetition]], other: DemoRun, agreed: int
) -> None:
    stands, _ = runs([ended(End.HUNG, "It waits."), other])
    assert (stands.as_expected, stands.same_story, stands.surprising) == (agreed, 1, True)


@pytest.mark.parametrize("release", [None, "2.0.58"])
def test_repetitions_are_recorded_with_the_release_and_the_busy_cores(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: str | None
) -> None:
    kept: list[tuple[list[DemoRepetition], Provenance, int]] = []
    monkeypatch.setattr(session, "DIRECTORY", tmp_path)
    monkeypatch.setattr(expected, "load", dict)
    monkeypatch.setattr(expected, "add", lambda *args: kept.append(args))
    monkeypatch.setattr(
        repeat,
        "repeat",
        lambda demos, methods, runs, *_: iter(
            DemoRepetition(demos[0], methods[0], cured, runs, runs, runs) for cured in (False, True)
        ),
    )
    monkeypatch.setattr("harness.releases.interpreters.of_release", lambda version: version)
    options = ["--repeat", "3", "--load", *(["--release", release] if release else [])]
    done = CliRunner().invoke(app, ["record", "demos", "--only", ONE.name, *options])
    assert done.exit_code == 0, done.output
    [(repetitions, provenance, busy)] = kept
    assert [(each.start_method, each.cured) for each in repetitions] == [
        *product(START_METHODS, (False, True))
    ]
    assert provenance.release == (release or sqlalchemy.__version__)
    assert busy == (os.cpu_count() or 1) - 1
    assert list(tmp_path.iterdir()) == []


def test_a_surprise_makes_the_recorder_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(session, "DIRECTORY", tmp_path)
    monkeypatch.setattr(expected, "load", dict)
    monkeypatch.setattr(expected, "add", lambda *_: None)
    monkeypatch.setattr(repeat, "repeat", lambda *_: iter([DemoRepetition(ONE, "fork", False, 3, 2, 3)]))
    done = CliRunner().invoke(app, ["record", "demos", "--only", ONE.name, "--repeat", "3"])
    assert "3 of 3 programs did not come out the same every time" in str(done.exception)
