"""A measurement that was interrupted continues with what was measured."""

from pathlib import Path

import pytest

from harness.drivers import ASYNCPG, MEASURED
from harness.hazards.recorders import session_name
from harness.records import session
from harness.records.session import RecordingSession
from harness.system.errors import PoolstartError

HERE = {"server": "embedded", "release": "2.1.9"}


@pytest.fixture(autouse=True)
def directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(session, "DIRECTORY", tmp_path / "record")
    return tmp_path / "record"


def test_the_parts_of_an_interrupted_session_are_there_again() -> None:
    begun = RecordingSession("pools", HERE)
    begun.add("spawn 2", {"first": [0.1]})
    begun.add("spawn 8", {"first": [0.2]})
    assert RecordingSession("pools", HERE).parts == {"spawn 2": {"first": [0.1]}, "spawn 8": {"first": [0.2]}}


def test_a_part_that_was_being_written_is_measured_again(directory: Path) -> None:
    RecordingSession("pools", HERE).add("spawn 2", 1)
    path = directory / "pools.jsonl"
    path.write_text(path.read_text() + '["spawn 8", {"fir')
    resumed = RecordingSession("pools", HERE)
    assert resumed.parts == {"spawn 2": 1}
    resumed.add("spawn 8", 2)
    assert RecordingSession("pools", HERE).parts == {"spawn 2": 1, "spawn 8": 2}


def test_other_conditions_are_refused_and_fresh_discards_what_was_measured() -> None:
    RecordingSession("pools", HERE).add("spawn 2", 1)
    with pytest.raises(PoolstartError, match=r"begun with release 2.1.9, and this is 2.1.8; .*--fresh"):
        RecordingSession("pools", {**HERE, "release": "2.1.8"})
    assert RecordingSession("pools", {**HERE, "release": "2.1.8"}, fresh=True).parts == {}


def test_a_damaged_file_is_one_line(directory: Path) -> None:
    RecordingSession("pools", HERE)
    (directory / "pools.jsonl").write_text("nonsense\n")
    with pytest.raises(PoolstartError, match=r"pools.jsonl cannot be read: .*; discard it with --fresh"):
        RecordingSession("pools", HERE)


def test_a_closed_session_leaves_nothing(directory: Path) -> None:
    RecordingSession("pools", HERE).close()
    assert list(directory.iterdir()) == []


def test_a_session_of_hazards_is_kept_while_another_driver_or_python_is_recorded() -> None:
    of_asyncpg, under_314 = session_name(ASYNCPG, "3.11.7"), session_name(MEASURED, "3.14.1")
    RecordingSession(of_asyncpg, HERE).add("0 own_lock spawn", 1)
    RecordingSession(session_name(MEASURED, "3.11.7"), HERE, fresh=True).add("0 own_lock spawn", 2)
    RecordingSession(under_314, HERE, fresh=True).close()
    assert RecordingSession(of_asyncpg, HERE).parts == {"0 own_lock spawn": 1}
    assert RecordingSession("hazards", HERE).parts == {"0 own_lock spawn": 2}
