"""A process that reports its steps is seen to work, and one that reports none is not."""

from pathlib import Path

import pytest

from harness.processes import heartbeat
from harness.processes.heartbeat import Heartbeat


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Heartbeat:
    monkeypatch.setenv(heartbeat.FILE, str(tmp_path / "progress"))
    return Heartbeat(tmp_path / "progress")


def test_a_step_is_new_once(steps: Heartbeat) -> None:
    assert not steps.new()
    heartbeat.beat("block 1: spawn, dataframe none")
    assert (steps.new(), steps.new()) == (True, False)
    assert steps.last() == "block 1: spawn, dataframe none"


def test_steps_of_an_earlier_process_do_not_count(steps: Heartbeat, tmp_path: Path) -> None:
    heartbeat.beat("of another process")
    assert not Heartbeat(tmp_path / "progress").new()


def test_without_a_file_nothing_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(heartbeat.FILE, raising=False)
    heartbeat.beat("a step")
