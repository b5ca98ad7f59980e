"""A history: releases take turns, what has been measured is kept, and the next call goes on behind it."""

import json
import signal
import subprocess
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from harness.history import measure as made
from harness.history.measure import AGAIN, History, Turn
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


def one(history: History, turn: Turn, pressure: float = 0) -> None:
    """Measure one block, as it were: it took as many seconds as its pass has in its number."""
    history.save(turn, MeasuredRun(turn.release, "embedded", [block(turn.number, pressure)]))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history", releases(10), PASSES)


def test_each_pass_visits_every_release_once_in_an_order_of_its_own(history: History) -> None:
    order = [turn.release for turn in history.turns()]
    passes = [order[:10], order[10:20], order[20:]]
    assert [sorted(each) for each in passes] == [sorted(history.releases)] * PASSES
    assert len({tuple(each) for each in passes}) == PASSES
    assert order == [turn.release for turn in history.turns()]


def test_what_was_measured_is_not_measured_again(history: History) -> None:
    turns = list(history.turns())
    for turn in turns[:13]:
        one(history, turn)
    assert history.left() == 17
    again = History(history.directory, releases(10), PASSES)
    assert list(again.turns()) == turns[13:]


def test_more_passes_add_to_those_that_are_there(history: History) -> None:
    for turn in history.turns():
        one(history, turn)
    more = History(history.directory, releases(10), PASSES + 1)
    assert {turn.number for turn in more.turns()} == {PASSES + 1}


def test_disturbed_blocks_are_measured_again_at_the_end_of_their_pass_but_not_all(history: History) -> None:
    began = []
    for turn in history.turns():
        began.append(turn)
        busy = turn.number == 2 and not turn.again and len(began) % 2 == 0
        one(history, turn, pressure=0.9 if busy else 0)
    again = [turn for turn in began if turn.again]
    assert len(again) == AGAIN * 10
    assert {turn.number for turn in again} == {2}
    assert began.index(again[0]) == 20


def test_a_release_has_its_blocks_in_the_order_of_passes_with_what_could_not_be_measured(
    history: History,
) -> None:
    for turn in history.turns():
        one(history, turn)
    last = Turn(history.releases[0], PASSES)
    history.save(
        last, replace(MeasuredRun(last.release, "embedded", [block(3)]), rejected={"spawn.none": "it hung"})
    )
    whole = history.measured()[last.release]
    assert whole.samples(CELL, "startup") == [1, 2, 3]
    assert whole.min_quiet == PASSES
    assert whole.rejected == {"spawn.none": "it hung"}


def test_it_is_not_gone_on_with_under_other_conditions(history: History) -> None:
    begun = {"machine": "mine", "server": "embedded-18.4-tcp-trust"}
    history.begin(begun)
    history.begin(begun)
    with pytest.raises(PoolstartError, match="begun with machine mine, and this is yours"):
        history.begin({**begun, "machine": "yours"})


def test_a_damaged_block_is_named_in_one_line(history: History) -> None:
    turn = next(history.turns())
    one(history, turn)
    path = history.directory / turn.release / turn.file
    path.write_text(path.read_text()[:40])
    with pytest.raises(PoolstartError, match=rf"{turn.file}.*\n?.*remove it, and it is measured again"):
        history.measured()


def test_nothing_is_filed_where_nothing_was_measured(history: History) -> None:
    with pytest.raises(PoolstartError, match="nothing has been measured yet"):
        made.file(history)


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
begun = history.History(directory, [each for each in catalogue().releases if each.version == release], 3)
with locate.server() as server:
    history.measure(begun, server, profile.current(), lambda *told: print(*told, flush=True))
"""


def test_a_measurement_that_was_killed_goes_on_behind_its_last_block(tmp_path: Path) -> None:
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
