"""A session of the history: its order, what it keeps, and how it resumes."""

import json
import signal
import subprocess
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

import pytest

from harness.history import measure as sessions
from harness.history.measure import HistorySession, PlannedBlock
from harness.lifecycles.blocks import Block, MeasuredRun
from harness.lifecycles.cell import Cell
from harness.records.session import Parts
from harness.releases.catalogue import Release, catalogue
from harness.system.conditions import Conditions
from harness.system.errors import PoolstartError
from tests.support.remains import scene

RELEASE = metadata.version("sqlalchemy")
CELL = Cell("fork_dispose", "none")

PASSES = 3


def releases(count: int) -> list[Release]:
    return catalogue().releases[:count]


def measure(session: HistorySession, planned: PlannedBlock, pressure: float = 0, rejected: str = "") -> None:
    """Keep a simulated block, whose samples are as many seconds as the number of its pass."""
    conditions = Conditions(1, pressure, 0, 0)
    block = Block(1, "", {CELL.id: {"startup": planned.number}}, {}, {"spawn": 0.05}, conditions)
    run = MeasuredRun(planned.release, "embedded", [block])
    run.rejected |= {"spawn.none": rejected} if rejected else {}
    session.kept.add(planned.key, asdict(run))


@pytest.fixture
def session() -> HistorySession:
    return HistorySession(Parts(), releases(10), PASSES)


def test_each_pass_visits_every_release_once_in_its_own_order(session: HistorySession) -> None:
    order = [planned.release for planned in session.planned()]
    passes = [order[:10], order[10:20], order[20:]]
    assert [sorted(each) for each in passes] == [sorted(session.releases)] * PASSES
    assert len({tuple(each) for each in passes}) == PASSES
    assert order == [planned.release for planned in session.planned()]


def test_what_was_measured_is_not_measured_again_and_more_passes_add_to_it(session: HistorySession) -> None:
    blocks = list(session.planned())
    for planned in blocks[:13]:
        measure(session, planned)
    assert session.remaining() == 17
    assert list(session.planned()) == blocks[13:]
    for planned in blocks[13:]:
        measure(session, planned)
    more = HistorySession(session.kept, releases(10), PASSES + 1)
    assert {planned.number for planned in more.planned()} == {PASSES + 1}


def test_noisy_blocks_are_marked_and_left_out_if_enough_are_left() -> None:
    whole = HistorySession(Parts(), releases(10), sessions.MIN_QUIET + 1)
    for planned in whole.planned():
        measure(whole, planned, pressure=0.9 if planned.number == 2 else 0)
    for run in whole.runs().values():
        assert [block.samples[CELL.id]["startup"] for block in run.used_blocks()] == [1, 3, 4]


def test_a_run_has_the_blocks_in_the_order_of_passes_and_all_rejections(session: HistorySession) -> None:
    for planned in session.planned():
        last = planned == PlannedBlock(session.releases[0], PASSES)
        measure(session, planned, rejected="it hung" if last else "")
    whole = session.runs()[session.releases[0]]
    assert [block.samples[CELL.id]["startup"] for block in whole.blocks] == [1, 2, 3]
    assert whole.min_quiet == sessions.MIN_QUIET
    assert whole.rejected == {"spawn.none": "it hung"}


def test_nothing_is_stored_if_nothing_was_measured(session: HistorySession) -> None:
    with pytest.raises(PoolstartError, match="nothing has been measured yet"):
        sessions.file(session)


MEASURES = """
import sys
from pathlib import Path
from harness.lifecycles import profile
from harness.postgres import locate
from harness.history import measure as history
from harness.records import session
from harness.releases import interpreters
from harness.releases.catalogue import catalogue

interpreters.of_release = lambda version: Path(sys.executable)
session.DIRECTORY = Path(sys.argv[1])
releases = [known for known in catalogue().releases if known.version == sys.argv[2]]
with locate.server() as server:
    kept = session.RecordingSession("history", {"server": server.identity})
    whole = history.HistorySession(kept, releases, int(sys.argv[3]))
    history.measure(whole, server, profile.current(), lambda *line: print(*line, flush=True))
"""


def test_a_killed_session_resumes_after_its_last_block(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"

    def blocks() -> list[str]:
        lines = file.read_text().splitlines(keepends=True)[1:] if file.exists() else []
        return [line for line in lines if line.endswith("\n")]

    with scene() as here:
        here.environment |= {
            "POOLSTART_PROFILE": "quick",
            "POOLSTART_STRATEGIES": "fork_dispose",
            "POOLSTART_DATAFRAME_MIB": "16",
        }
        first = here.python("-c", MEASURES, tmp_path, RELEASE, "1000", stdout=subprocess.PIPE)
        here.wait_for(blocks, "a block is there")
        first.kill()
        assert first.wait(300) == -signal.SIGKILL
        here.wait_until_gone()
        kept = blocks()
        passes = len(kept) + 1
        second = here.python("-c", MEASURES, tmp_path, RELEASE, str(passes), stdout=subprocess.PIPE)
        printed, _ = second.communicate(timeout=300)
    assert second.returncode == 0
    assert [line.split(",")[0] for line in printed.splitlines()] == [f"pass {passes}"]
    assert blocks()[: len(kept)] == kept
    assert [json.loads(line)[0] for line in blocks()] == [f"{RELEASE} {n}" for n in range(1, passes + 1)]
