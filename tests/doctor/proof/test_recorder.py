"""`poolstart record doctor`: which programs are looked at, how often, and what an interruption leaves."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from harness.doctor.proof import record, recorder
from harness.doctor.proof.record import VictimFigures
from harness.postgres import locate
from harness.postgres.server import Server
from harness.records import session
from harness.records.recorder import Request

REQUEST = Request("doctor", only=("fork", "pool"), repeat=2)


class Looks:
    """Stands for the looks, each of which would take seconds; after `allowed` of them it is interrupted."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.allowed = 100

    def __call__(self, row: VictimFigures, *_: object) -> dict[str, Any]:
        if len(self.done) == self.allowed:
            raise KeyboardInterrupt
        self.done.append(f"{row.victim} {row.variant}")
        found = [] if row.right else [["shared_socket", "proven"]]
        return {"outside": found, "command": found}


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Looks:
    made = Looks()
    monkeypatch.setattr(session, "DIRECTORY", tmp_path)
    monkeypatch.setattr(record, "PATH", tmp_path / "doctor.json")
    monkeypatch.setattr(locate, "server", lambda: nullcontext(Server("embedded", "", "18.4", "tcp", "trust")))
    monkeypatch.setattr(recorder, "TOGETHER", 1)
    monkeypatch.setattr(recorder, "look", made)
    return made


def measure() -> dict[str, int]:
    """Record, and return how many runs of each program are on record."""
    recorder.DoctorRecorder().measure(REQUEST, lambda _: None)
    recorded = record.load()
    assert recorded
    return {f"{row.victim} {row.variant}": row.runs for row in recorded.rows}


ALL = {f"{name} {variant}": 2 for name in ("fork", "pool") for variant in ("broken", "fixed")}


def test_each_program_is_looked_at_as_often_as_wanted_the_broken_ones_first(looks: Looks) -> None:
    assert measure() == ALL
    assert looks.done[-2:] == ["fork fixed", "pool fixed"]


def test_what_was_looked_at_before_an_interruption_is_not_looked_at_again(looks: Looks) -> None:
    looks.allowed = 5
    with pytest.raises(KeyboardInterrupt):
        measure()
    looks.allowed = 100
    assert measure() == ALL
    assert len(looks.done) == 8
