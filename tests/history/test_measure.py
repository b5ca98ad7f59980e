"""A session of the history: its order, what it keeps, and how it resumes."""

import json
import signal
import subprocess
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from harness.history import measure as sessions
from harness.history.measure import MAX_REPEATED, HistorySession, PlannedBlock
from harness.lifecycles.blocks import Block, MeasuredRun
from harness.lifecycles.cell import Cell
from harness.releases.catalogue import Release, catalogue
from harness.system.conditions import Conditions
from harness.system.errors import PoolstartError
from tests.support.remains import scene

RELEASE = metadata.version("sqlalchemy")
CELL = Cell("fork_dispose", "none")

PASSES = 3


def releases(count: int) -> list[Release]:
    return catalogue().releases[:count]


def block(seconds: float, pressure: float = 0) -> Block:
    return Block(1, "", {CELL.id: {"startup": seconds}}, {}, {"spawn": 0.05}, Conditions(1, pressure, 0, 0))


def measure(session: HistorySession, planned: PlannedBlock, pressure: float = 0) -> None:
    """Save a simulated block, whose samples are as many seconds as the number of its pass."""
    session.save(planned, MeasuredRun(planned.release, "embedded", [block(planned.number, pressure)]))


@pytest.fixture
def session(tmp_path: Path) -> HistorySession:
    return HistorySession(tmp_path / "history", releases(10), PASSES)


def test_each_pass_visits_every_release_once_in_its_own_order(session: HistorySession) -> None:
    order = [planned.release for planned in session.planned()]
    passes = [order[:10], order[10:20], order[20:]]
    assert [sorted(each) for each in passes] == [sorted(session.releases)] * PASSES
    assert len({tuple(each) for each in passes}) == PASSES
    assert order == [planned.release for planned in session.planned()]


def test_what_was_measured_is_not_measured_again(session: HistorySession) -> None:
    blocks = list(session.planned())
    for planned in blocks[:13]:
        measure(session, planned)
    assert session.remaining() == 17
    resumed = HistorySession(session.directory, releases(10), PASSES)
    assert list(resumed.planned()) == blocks[13:]


def test_more_passes_add_to_those_that_are_there(session: HistorySession) -> None:
    for planned in session.planned():
        measure(session, planned)
    more = HistorySession(session.directory, releases(10), PASSES + 1)
    assert {planned.number for planned in more.planned()} == {PASSES + 1}


def test_some_noisy_blocks_are_repeated_at_the_end_of_their_pass(session: HistorySession) -> None:
    began = []
    for planned in session.planned():
        began.append(planned)
        busy = planned.number == 2 and not planned.repeated and len(began) % 2 == 0
        measure(session, planned, pressure=0.9 if busy else 0)
    again = [planned for planned in began if planned.repeated]
    assert len(again) == MAX_REPEATED * 10
    assert {planned.number for planned in again} == {2}
    assert began.index(again[0]) == 20


def test_a_run_has_the_blocks_in_the_order_of_passes_and_all_rejections(
    session: HistorySession,
) -> None:
    for planned in session.planned():
        measure(session, planned)
    last = PlannedBlock(session.releases[0], PASSES)
    session.save(
        last, replace(MeasuredRun(last.release, "embedded", [block(3)]), rejected={"spawn.none": "it hung"})
    )
    whole = session.runs()[last.release]
    assert whole.samples(CELL, "startup") == [1, 2, 3]
    assert whole.min_quiet == PASSES
    assert whole.rejected == {"spawn.none": "it hung"}


def test_a_session_does_not_continue_under_other_conditions(session: HistorySession) -> None:
    begun = {"machine": "mine", "server": "embedded-18.4-tcp-trust"}
    session.begin(begun)
    session.begin(begun)
    with pytest.raises(PoolstartError, match="begun with machine mine, and this is yours"):
        session.begin({**begun, "machine": "yours"})


def test_a_damaged_block_is_named_in_one_line(session: HistorySession) -> None:
    planned = next(session.planned())
    measure(session, planned)
    path = session.directory / planned.release / planned.file
    path.write_text(path.read_text()[:40])
    with pytest.raises(PoolstartError, match=rf"{planned.file}.*\n?.*remove it, and it is measured again"):
        session.runs()


def test_nothing_is_stored_if_nothing_was_measured(session: HistorySession) -> None:
    with pytest.raises(PoolstartError, match="nothing has been measured yet"):
        sessions.file(session)


MEASURES = """
import sys
from pathlib import Path
from harness.lifecycles import profile
from harness.postgres import locate
from harness.history import measure as history
from harness.releases import interpreters
from harness.releases.catalogue import catalogue

interpreters.of_release = lambda version: Path(sys.executable)
directory, release = Path(sys.argv[1]), sys.argv[2]
releases = [known for known in catalogue().releases if known.version == release]
session = history.HistorySession(directory, releases, 3)
with locate.server() as server:
    history.measure(session, server, profile.current(), lambda *told: print(*told, flush=True))
"""


def test_a_killed_session_resumes_after_its_last_block(tmp_path: Path) -> None:
    directory = tmp_path / "history"
    with scene() as here:
        here.environment |= {
            "POOLSTART_PROFILE": "quick",
            "POOLSTART_STRATEGIES": "fork_dispose",
            "POOLSTART_DATAFRAME_MIB": "16",
        }
        first = here.python("-c", MEASURES, directory, RELEASE, stdout=subprocess.PIPE)
        here.wait_for(lambda: (directory / RELEASE / "1.json").exists(), "a block is there")
        first.kill()
        assert first.wait(60) == -signal.SIGKILL
        here.wait_until_gone()
        kept = (directory / RELEASE / "1.json").read_text()
        second = here.python("-c", MEASURES, directory, RELEASE, stdout=subprocess.PIPE)
        told, _ = second.communicate(timeout=120)
    assert second.returncode == 0
    assert [line.split(",")[0] for line in told.splitlines()][:2] == ["pass 2", "pass 3"]
    assert (directory / RELEASE / "1.json").read_text() == kept
    assert {path.name for path in (directory / RELEASE).iterdir()} >= {"1.json", "2.json", "3.json"}
    assert json.loads(kept)["release"] == RELEASE
