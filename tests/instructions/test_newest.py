"""A release that has just appeared is counted at once, and is a candidate if its instructions changed."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.instructions import newest, table
from harness.instructions.count import PHASES, Build
from harness.instructions.remote import Counted
from harness.instructions.table import InstructionsRow, InstructionsTable
from harness.postgres.server import Server

SERVER = Server("embedded", "", "18.4", "tcp", "trust")
BUILD = Build("1", "3.11", "glibc", "x86_64", "3.19", "2.9", "embedded")
TOTALS = {"2.1.8": 1_000_000_000, "2.1.9": 1_001_000_000, "2.1.10": 1_011_000_000}


def row(release: str) -> InstructionsRow:
    phases = dict.fromkeys(PHASES, 1_000_000) | {"start": TOTALS[release]}
    return InstructionsRow(release, phases, dict.fromkeys(PHASES, 0), True)


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2.1.8 and 2.1.9 are on record."""
    monkeypatch.setattr(table, "PATH", tmp_path / "instructions.json")
    InstructionsTable(BUILD, (row("2.1.8"), row("2.1.9"))).save()


def changed(counted: list[str], before: str, release: str, build: Build = BUILD) -> list[str]:
    def count(server: Server, release: str, command: str) -> Counted:
        counted.append(release)
        return build, row(release)

    return newest.changed([(before, release)], SERVER, "", lambda _: None, count)


def on_record() -> list[str]:
    known = table.load()
    return [each.release for each in known.rows]


def test_one_per_cent_more_is_found_and_recorded(counted: list[str]) -> None:
    assert changed(counted, "2.1.9", "2.1.10") == ["2.1.10"]
    assert counted == ["2.1.10"]
    assert on_record() == ["2.1.8", "2.1.9", "2.1.10"]


def test_what_is_on_record_is_not_counted_again(counted: list[str]) -> None:
    assert changed(counted, "2.1.8", "2.1.9") == []
    assert counted == []


def test_another_build_counts_the_release_before_too_and_records_neither(counted: list[str]) -> None:
    assert changed(counted, "2.1.9", "2.1.10", replace(BUILD, libc="musl")) == ["2.1.10"]
    assert counted == ["2.1.10", "2.1.9"]
    assert on_record() == ["2.1.8", "2.1.9"]
