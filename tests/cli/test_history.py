"""`poolstart history`: which releases are measured."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.history import measure as sessions
from harness.postgres import locate
from harness.postgres.server import Server
from harness.releases import interpreters
from harness.releases.catalogue import catalogue

SERVER = Server("embedded", "", "18.4", "tcp", "trust")

ALL = [release.version for release in catalogue().releases]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The releases that would have been measured."""
    found: list[str] = []

    monkeypatch.setattr(sessions, "DIRECTORY", tmp_path)
    monkeypatch.setattr(interpreters, "of_release", lambda version: Path(version))
    monkeypatch.setattr(sessions, "measure", lambda session, *_: found.extend(session.releases))
    monkeypatch.setattr(sessions, "file", lambda _: 0)
    monkeypatch.setattr(locate, "server", lambda: nullcontext(SERVER))
    return found


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
    done = CliRunner().invoke(app, ["history", *(f"--releases={each}" for each in asked)])
    assert done.exit_code == 0, done.output
    assert measured == expected
