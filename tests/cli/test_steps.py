"""`poolstart steps --confirm`: what is measured again, and what is not."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from harness.cli import steps
from harness.history import report as changes
from harness.history import retest
from harness.history.change_point import ChangePoint, ChangePoints, ReleasePair, RetestOutcome
from harness.history.series import SeriesKey
from harness.postgres import locate
from harness.postgres.server import Server
from harness.releases import machine

SERVER = Server("embedded", "", "18.4", "tcp", "trust")


def step(strategy: str, unit: str = "bytes", of: str = "here", server: str = SERVER.identity) -> ChangePoint:
    key = SeriesKey(of, f"release-postgres{server}", "memory.Memory.track_uss", (strategy, "none"))
    return ChangePoint(key, unit, "2.0.9", "2.0.10", 1e6, 1.1e6, 1.1, 1.09, 1.11, 1e-6)


def outcome(text: str) -> RetestOutcome:
    return RetestOutcome(text, 1.1, 1.09, 1.11)


def test_a_line_says_of_how_many_cells_measuring_again_said_the_same() -> None:
    retests = (outcome("confirmed"), outcome("undecided"), outcome("confirmed"), None)
    found = [replace(step("spawn"), retest=each) for each in retests]
    assert changes.confirmed(found) == "2"
    assert changes.confirmed(found[3:]) == ""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[ReleasePair]]:
    """What is measured again, on a machine called `here`."""
    found: list[list[ReleasePair]] = []

    def again(suspects: list[ReleasePair], *_: object, **__: object) -> int:
        found.append(suspects)
        return 0

    monkeypatch.setattr(retest, "measure", again)
    monkeypatch.setattr(machine, "name", lambda: "here")
    monkeypatch.setattr(locate, "server", lambda: nullcontext(SERVER))
    return found


def test_what_is_decided_is_left_alone_and_steps_come_before_candidates(
    asked: list[list[ReleasePair]],
) -> None:
    suspects = (
        replace(step("nullpool"), retest=outcome("undecided")),
        replace(step("forkserver_preload"), retest=outcome("undecided"), reason="its interval is wide"),
        replace(step("forkserver"), reason="its interval is wide"),
        replace(step("spawn"), retest=outcome("confirmed")),
        replace(step("fork_dispose"), retest=outcome("refuted")),
        step("fork_nodispose"),
        step("forkserver", unit="calls"),
        step("forkserver", of="another"),
        step("forkserver", server="container-17.12-tcp-trust"),
    )
    steps.measure_again(ChangePoints(suspects, ()), pairs=8, budget=60.0)
    told = [[one.strategy for one in some] for some in asked]
    assert told == [["fork_nodispose"], ["nullpool"], ["forkserver"], ["forkserver_preload"]]


def test_a_machine_without_a_history_measures_what_that_of_another_says(
    asked: list[list[ReleasePair]],
) -> None:
    suspects = (
        step("spawn", of="another"),
        replace(step("nullpool", of="another"), retest=outcome("confirmed")),
    )
    steps.measure_again(ChangePoints(suspects, ()), pairs=8, budget=60.0)
    assert [[one.strategy for one in some] for some in asked if some] == [["spawn"]]
