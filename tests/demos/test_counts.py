"""An exhibit run many times: how often it ended as expected, and told the same story."""

import os
from collections.abc import Callable

import pytest
import sqlalchemy
from typer.testing import CliRunner

from harness.cli import app
from harness.demos import catalogue
from harness.demos import expected as exhibited
from harness.demos import runner as exhibits
from harness.demos.catalogue import End
from harness.demos.runner import Count, Seen
from harness.hazards.expected import Setting
from harness.hazards.inside.story import StoryEvent

ONE = catalogue.get("held_lock")


def seen(end: End, *told: str) -> Seen:
    return Seen(end, tuple(StoryEvent("worker", what) for what in told), "", 0.1)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Seen]], list[Count]]:
    """What is counted of runs that come to this, as they stand and cured."""

    def counted(some: list[Seen]) -> list[Count]:
        left = iter([*some, *some])
        monkeypatch.setattr(exhibits, "JOBS", 1)
        monkeypatch.setattr(exhibits, "run", lambda *_, **__: next(left))
        return list(exhibits.count([ONE], ["fork"], len(some), server=None))  # type: ignore[arg-type]

    return counted


def test_runs_that_end_as_expected_with_one_story_agree(runs: Callable[[list[Seen]], list[Count]]) -> None:
    [stands, cured] = runs([seen(End.STUCK, "Process 17 waits."), seen(End.STUCK, "Process 4 waits.")])
    assert stands == Count(ONE, "fork", cured=False, runs=2, agreed=2, alike=2)
    assert not stands.surprising
    # Stuck is how it has to end as it stands, and not when it is cured.
    assert cured == Count(ONE, "fork", cured=True, runs=2, agreed=0, alike=2)
    assert cured.surprising


@pytest.mark.parametrize(
    ("other", "agreed"),
    [(seen(End.STUCK, "It sleeps."), 2), (seen(End.LATE, "It waits."), 1)],
    ids=["another story", "another end"],
)
def test_one_run_that_differs_is_a_surprise(
    runs: Callable[[list[Seen]], list[Count]], other: Seen, agreed: int
) -> None:
    stands, _ = runs([seen(End.STUCK, "It waits."), other])
    assert (stands.agreed, stands.alike, stands.surprising) == (agreed, 1, True)


@pytest.mark.parametrize("release", [None, "2.0.58"])
def test_what_was_counted_is_kept_with_the_release_and_the_busy_cores(
    monkeypatch: pytest.MonkeyPatch, release: str | None
) -> None:
    kept: list[tuple[Count, Setting, int]] = []
    counts = [Count(ONE, "fork", cured, 3, 3, 3) for cured in (False, True)]
    monkeypatch.setattr(exhibited, "add", lambda *told: kept.append(told))
    monkeypatch.setattr(exhibits, "count", lambda *_: iter(counts))
    monkeypatch.setattr("harness.releases.interpreters.of_release", lambda version: version)
    asked = ["exhibit", "2", "--repeat", "3", "--load"]
    asked += ["--release", release] if release else []
    assert CliRunner().invoke(app, asked).exit_code == 0
    assert kept == []
    done = CliRunner().invoke(app, [*asked, "--record"])
    assert done.exit_code == 0, done.output
    assert [count for count, _, _ in kept] == counts
    [setting] = {setting for _, setting, _ in kept}
    assert setting.release == (release or sqlalchemy.__version__)
    assert {busy for _, _, busy in kept} == {(os.cpu_count() or 1) - 1}


def test_a_surprise_is_an_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exhibits, "count", lambda *_: iter([Count(ONE, "fork", False, 3, 2, 3)]))
    assert CliRunner().invoke(app, ["exhibit", "2", "--repeat", "3"]).exit_code == 1
