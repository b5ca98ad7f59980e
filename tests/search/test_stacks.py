"""Hangs by stack: the table of frames comes from the record."""

import pytest

from harness.hazards import expected
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.inside import handle
from harness.hazards.inside.story import StoryEvent
from harness.search import stacks


def outcome(what: str, verdict: Verdict = Verdict.AFFECTED, who: str = "worker") -> Outcome:
    return Outcome("some_hazard", "fork_dispose", verdict, story=(StoryEvent(who, what),))


def test_the_record_has_a_stack_for_every_hazard_whose_worker_waits_in_a_library() -> None:
    found = {stack.hazard: stack for stack in stacks.recorded(expected.load()) if stack.lines}
    assert set(found) == {"pool_lock", "half_initialized", "import_lock", "native_threads", "native_lock"}
    assert found["pool_lock"].caller == "sqlalchemy/util/queue.py"
    assert found["import_lock"].lines == ("acquire (<frozen importlib._bootstrap>)",)


@pytest.mark.parametrize(
    ("what", "lines"),
    [
        (
            "Waits for ever in sqlalchemy/util/queue.py: lib/python3.11/threading.py, line 272 in __enter__.",
            ("__enter__ (threading.py)", "sqlalchemy/util/queue.py"),
        ),
        (
            "Waits: polars/lazyframe/engine.py, line 410 in collect.",
            ("collect (polars/lazyframe/engine.py)",),
        ),
        ("Waits: harness/hazards/own_lock.py, line 13 in acquire.", ()),
    ],
)
def test_a_story_names_the_innermost_frames(what: str, lines: tuple[str, ...]) -> None:
    (stack,) = stacks.waiting(outcome(what))
    assert stack.lines == lines


def test_other_events_name_no_stack() -> None:
    what = "Waits: polars/lazyframe/engine.py, line 410 in collect."
    assert list(stacks.waiting(outcome(what, Verdict.SURVIVES))) == []
    assert list(stacks.waiting(outcome(what, who="user"))) == []
    assert list(stacks.waiting(outcome("Gets a connection and gives it back."))) == []


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v/lib/python3.11/site-packages/sqlalchemy/event/attr.py", "sqlalchemy/event/attr.py"),
        ("/usr/lib/python3.14/threading.py", "threading.py"),
        ("/home/me/checkout/harness/hazards/all/own_lock.py", "own_lock.py"),
        ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>"),
    ],
)
def test_a_story_names_files_as_py_spy_does(path: str, shown: str) -> None:
    assert handle.shown_file(path) == shown
