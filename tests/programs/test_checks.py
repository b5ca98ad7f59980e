"""The checks of a program's workers: each defect is found, and a good run passes."""

import copy
from typing import Any

import pytest

from harness.programs import head
from harness.programs.checks import RowReport, findings

EXECUTOR = head.get("executor")

LOADED = {100: 900}
"""The process that loaded the application, and its session."""

GOOD: list[RowReport] = [
    {"token": "a", "echo": "a", "pid": 101, "backend": 901, "hooked": True},
    {"token": "b", "echo": "b", "pid": 102, "backend": 902, "hooked": True},
]


def test_two_workers_with_sessions_of_their_own_pass() -> None:
    assert findings(EXECUTOR, LOADED, GOOD) == []


def test_a_worker_that_loaded_the_application_itself_may_keep_its_session() -> None:
    assert findings(EXECUTOR, {101: 901, 102: 902}, GOOD) == []


@pytest.mark.parametrize(
    ("field", "value", "finding"),
    [
        ("pid", 102, "two rows came from one worker"),
        ("echo", "b", "a worker got another worker's row"),
        ("backend", 902, "workers shared a session"),
        ("backend", 900, "workers shared a session"),
        ("hooked", False, "the hook did not run"),
        ("error", "OperationalError", "OperationalError"),
    ],
)
def test_each_defect_is_a_finding(field: str, value: Any, finding: str) -> None:
    reports: list[dict[str, Any]] = copy.deepcopy(GOOD)  # type: ignore[arg-type]
    reports[0][field] = value
    assert findings(EXECUTOR, LOADED, reports) == [finding]  # type: ignore[arg-type]
