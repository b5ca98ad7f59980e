"""`poolstart record history` and `changes`: which releases are measured."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.history import measure as made
from harness.history import reference
from harness.history.recorders import ChangesRecorder
from harness.history.reference import PairedLogs
from harness.postgres import locate
from harness.postgres.server import Server
from harness.records import session
from harness.releases import interpreters, machine
from harness.releases.catalogue import catalogue
from harness.system import locks

SERVER = Server("embedded", "", "18.4", "tcp", "trust")

ALL = [release.version for release in catalogue().releases]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The releases that would have been measured."""
    releases: list[str] = []
    monkeypatch.setattr(session, "DIRECTORY", tmp_path)
    monkeypatch.setattr(interpreters, "of_release", lambda version: Path(version))
    monkeypatch.setattr(made, "measure", lambda whole, *_, **__: releases.extend(whole.releases))
    monkeypatch.setattr(made, "file", lambda _: 0)
    monkeypatch.setattr(locate, "server", lambda: nullcontext(SERVER))
    monkeypatch.setattr(locate, "identity", lambda: SERVER.identity)
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


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, tuple[str, ...], int]]:
    """What `record changes` pairs with the reference; every ratio is 1."""
    done: list[tuple[str, tuple[str, ...], int]] = []

    def paired(
        release: str, strategies: tuple[str, ...], number: int, *_: object, before: str
    ) -> dict[str, PairedLogs]:
        done.append((release, strategies, number))
        return {name: PairedLogs({"uss": [0.0] * number}, {"uss": 3e7}) for name in strategies}

    record = tmp_path / "ratios.json"
    monkeypatch.setattr(reference, "paired", paired)
    monkeypatch.setattr(reference.load, "__defaults__", (record,))
    monkeypatch.setattr(reference.add, "__defaults__", (record,))
    monkeypatch.setattr(locate, "server", lambda: nullcontext(SERVER))
    monkeypatch.setattr(machine, "name", lambda: "here")
    monkeypatch.setattr(ChangesRecorder, "lock", tmp_path / "record.lock")
    return done


def test_a_step_that_does_not_fit_into_the_time_is_named(
    pairs: list[tuple[str, tuple[str, ...], int]],
) -> None:
    done = CliRunner().invoke(app, ["record", "changes", "--only", "2.1.9", "--minutes", "0.1"])
    assert done.exit_code == 0, done.output
    assert pairs == []
    assert "0 steps; the next one, 2.1.9, takes about 2 min" in done.output


def test_the_newest_release_is_paired_first(pairs: list[tuple[str, tuple[str, ...], int]]) -> None:
    done = CliRunner().invoke(app, ["record", "changes"])
    assert done.exit_code == 0, done.output
    forked = "fork_dispose", "forkserver_preload", "nullpool"
    assert pairs[:6] == [(ALL[-1], forked, reference.SESSION)] * 6
    assert pairs[6] == (ALL[-1], reference.STRATEGIES, reference.SCREENING)
    directly = [row for row in reference.load() if row.before]
    assert [(row.before, row.decided) for row in directly] == [(ALL[-2], reference.NEWEST)] * 3
    assert "nothing is left to pair" in done.output


def test_a_named_release_is_paired_alone_and_once(pairs: list[tuple[str, tuple[str, ...], int]]) -> None:
    for _ in range(2):
        done = CliRunner().invoke(app, ["record", "changes", "--only", "2.0.30", "--only", "spawn"])
        assert done.exit_code == 0, done.output
    assert pairs == [("2.0.30", ("spawn",), reference.SCREENING)]
    assert "all of it is on record" in done.output
