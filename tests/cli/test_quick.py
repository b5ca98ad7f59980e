"""`poolstart` by itself: the answer, from nothing, in a minute."""

import re
from dataclasses import replace

import pytest

from harness.answer import quick
from harness.lifecycles import profile
from harness.lifecycles.profile import PROFILES
from harness.postgres.server import Server
from tests.support.command import poolstart
from tests.support.remains import scene


@pytest.mark.slow
def test_it_shows_its_progress_its_figures_and_a_recommendation() -> None:
    with scene() as here:
        ran = poolstart(
            TMPDIR=str(here.directory),
            POOLSTART_DATAFRAME_MIB="16",
            POOLSTART_SERVER="embedded",
            POOLSTART_STRATEGIES="fork_dispose,spawn",
        )
        here.wait_until_gone()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for name in ("fork_dispose", "spawn"):
        assert f"measuring {name}, dataframe none (round 1 of 3, " in ran.stderr
        row = re.search(rf"^{name}( \*)?  .*\d", ran.stdout, re.MULTILINE)
        assert row
    assert "otherwise: silent loss (lost_transaction" in ran.stdout
    busy = ran.stdout.startswith("busy: ")
    assert ("What to choose\nThe first of these that matches decides; " in ran.stdout) != busy
    assert "poolstart hazards wrong_answer  " in ran.stdout


class Clock:
    """A clock that each block advances, so that nothing is timed."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.now = 0.0
        self.blocks: list[str] = []
        self._seconds = seconds

    def __call__(self) -> float:
        return self.now

    def block(self, setting: str) -> None:
        self.blocks.append(setting)
        self.now += self._seconds[setting]


@pytest.mark.parametrize(
    ("seconds", "blocks"),
    [
        ({"none": 7, "large": 10}, ["none", "large"] * 2 + ["none"]),
        ({"none": 2, "large": 3}, ["none", "large"] * 3),
        ({"none": 30, "large": 60}, ["none"]),
        ({"none": 14, "large": 20}, ["none", "large"]),
        ({"none": 100, "large": 100}, ["none"]),
    ],
)
def test_it_measures_as_many_blocks_as_fit_and_first_without_a_dataframe(
    server: Server, monkeypatch: pytest.MonkeyPatch, seconds: dict[str, float], blocks: list[str]
) -> None:
    clock = Clock(seconds)
    monkeypatch.setattr(quick.Plan, "warm_up", lambda plan: None)
    monkeypatch.setattr(
        quick.Plan, "block", lambda plan, seed, cells, report: clock.block(cells[0].dataframe)
    )
    monkeypatch.setattr(quick, "mark_noisy", lambda blocks: blocks)
    small = replace(PROFILES["quick"], dataframe_mib=16)
    quick.measure(server, small, lambda _: None, began=0, limit=45, clock=clock)
    assert clock.blocks == blocks
    if len(blocks) > 1:
        assert clock.now <= 45


def test_the_environment_sets_everything_but_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    assert profile.current("quick").name == "quick"
    monkeypatch.setenv(profile.STRATEGIES, "spawn")
    assert profile.current("quick").strategies == ("spawn",)
    monkeypatch.setenv(profile.PROFILE, "default")
    assert profile.current("quick").name == "default"
