"""`poolstart record history` and `retests`: which releases are measured, and what is due."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.history import measure as made
from harness.history import report, retest
from harness.history.change_point import ChangePoint, ChangePoints, RetestOutcome
from harness.history.series import SeriesKey
from harness.postgres import locate
from harness.postgres.server import Server
from harness.releases import interpreters, machine
from harness.releases.catalogue import catalogue
from harness.system import locks

SERVER = Server("embedded", "", "18.4", "tcp", "trust")

ALL = [release.version for release in catalogue().releases]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The releases that would have been measured."""
    releases: list[str] = []
    monkeypatch.setattr(made, "DIRECTORY", tmp_path)
    monkeypatch.setattr(interpreters, "of_release", lambda version: Path(version))
    monkeypatch.setattr(made, "measure", lambda whole, *_, **__: releases.extend(whole.releases))
    monkeypatch.setattr(made, "file", lambda _: 0)
    monkeypatch.setattr(locate, "server", lambda: nullcontext(SERVER))
    monkeypatch.setattr(machine, "refuse_another", lambda *_: None)
    monkeypatch.setattr(locks, "RESULTS", tmp_path / "results.lock")
    return releases


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ([], ALL),
        (["2.0.50"], ["2.0.50"]),
        (["2.1.8..2.1.9"], ["2.1.9"]),
        (["2.1.9", "1.4.54^!", "2.0.56..2.0.58"], ["1.4.54", "2.0.57", "2.0.58", "2.1.9"]),
    ],
)
def test_releases_and_ranges_are_measured_together_in_their_order(
    measured: list[str], asked: list[str], expected: list[str]
) -> None:
    done = CliRunner().invoke(app, ["record", "history", *(f"--only={each}" for each in asked)])
    assert done.exit_code == 0, done.output
    assert measured == expected


def test_zero_minutes_store_what_is_there_and_measure_nothing(measured: list[str]) -> None:
    done = CliRunner().invoke(app, ["record", "history", "--only", "2.1.9", "--minutes", "0"])
    assert done.exit_code == 0, done.output
    assert measured == []
    assert "1 releases, 5 blocks left" in done.output


def step(strategy: str, unit: str = "bytes", of: str = "here", server: str = SERVER.identity) -> ChangePoint:
    key = SeriesKey(of, f"release-postgres{server}", "memory.Memory.track_uss", (strategy, "none"))
    return ChangePoint(key, unit, "2.0.9", "2.0.10", 1e6, 1.1e6, 1.1, 1.09, 1.11, 1e-6)


def outcome(text: str) -> RetestOutcome:
    return RetestOutcome(text, 1.1, 1.09, 1.11)


def test_a_line_says_how_many_cells_a_retest_confirmed() -> None:
    retests = (outcome("confirmed"), outcome("undecided"), outcome("confirmed"), None)
    steps = [replace(step("spawn"), retest=each) for each in retests]
    assert report.confirmed(steps) == "2"
    assert report.confirmed(steps[3:]) == ""


def test_steps_come_before_candidates_and_what_is_decided_is_not_due() -> None:
    points = (
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
    due = retest.due(ChangePoints(points, ()), SERVER, "here")
    in_order = ["fork_nodispose", "nullpool", "forkserver", "forkserver_preload"]
    assert [pair.strategy for pair in due] == in_order
    only = retest.due(ChangePoints(points, ()), SERVER, "here", ["nullpool", "2.0.1"])
    assert [pair.strategy for pair in only] == ["nullpool"]
    assert len(retest.by_releases(due)) == 1


def test_a_machine_without_a_history_retests_those_of_others() -> None:
    decided = replace(step("nullpool", of="another"), retest=outcome("confirmed"))
    points = (step("spawn", of="another"), decided)
    assert [pair.strategy for pair in retest.due(ChangePoints(points, ()), SERVER, "here")] == ["spawn"]


def test_releases_with_most_pairs_come_first() -> None:
    single = replace(step("spawn"), previous="2.0.1", release="2.0.2")
    points = (single, step("spawn"), step("nullpool"))
    due = retest.due(ChangePoints(points, ()), SERVER, "here")
    assert [release for (_, release), _ in retest.by_releases(due)] == ["2.0.10", "2.0.2"]
