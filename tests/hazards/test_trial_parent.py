"""A worker that hangs is distinguished from one that works, fails or ends."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hazards.inside.handle import SILENCE, Ended, Failed, Hung, settle
from harness.hazards.inside.parent import Parent
from harness.postgres.server import Server
from tests.support import tasks


@pytest.fixture
def parent(server: Server, tmp_path: Path) -> Iterator[Parent]:
    made = Parent("spawn", server, tmp_path)
    yield made
    made.close()


def test_a_worker_that_waits_for_ever_hangs_and_its_stack_is_known(parent: Parent) -> None:
    with pytest.raises(Hung, match=r"threading\.py.* in wait") as hung:
        parent.start(tasks.block).answer()
    assert hung.value.inside("support/tasks.py")
    assert not hung.value.inside("sqlalchemy/util/queue.py")


def test_a_worker_that_computes_longer_than_the_silence_does_not_hang(parent: Parent) -> None:
    assert parent.start(tasks.work_hard, 3 * SILENCE).answer() == "done"


def test_a_worker_without_context_switches_that_computes_does_not_hang(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an idle machine it may have no context switch for longer than the silence."""
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path: re.sub(r"(?<=ctxt_switches:\t)\d+", "0", read(path)))
    assert parent.start(tasks.work_hard, 3 * SILENCE).answer() == "done"


def test_an_error_of_the_worker_is_raised_in_the_parent(parent: Parent) -> None:
    with pytest.raises(Failed, match="ValueError: of no use"):
        parent.start(tasks.fail).answer()


def test_the_end_of_the_worker_is_raised_in_the_parent(parent: Parent) -> None:
    with pytest.raises(Ended, match="exit status 7"):
        parent.start(tasks.leave).answer()


def test_hung_workers_are_waited_for_together(parent: Parent) -> None:
    workers = [parent.start(tasks.block) for _ in range(2)]
    settle(workers)
    for worker in workers:
        assert worker.settled()
        with pytest.raises(Hung):
            worker.answer()


def test_no_worker_outlives_its_parent(parent: Parent) -> None:
    worker = parent.start(tasks.block)
    parent.close()
    assert worker.process.exitcode is not None
