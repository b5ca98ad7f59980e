"""The checks of a fleet: each defect is found, and a good fleet passes."""

from typing import Any

import pytest

from harness import strategies
from harness.fleets.checks import Fleet, findings
from tests.support.defects import with_value

FLEET = Fleet(strategies.get("fork_dispose"), 2, "token", "mark")

GOOD: dict[str, Any] = {
    "outcome": "done",
    "called": 10,
    "workers": [
        {"pid": pid, "mark": "mark", "row": ["token", 1000 + pid], "first_row": 30} for pid in (101, 102)
    ],
    "exitcodes": [0, 0],
    "row_after": ["token", 999],
}


def found(report: dict[str, Any]) -> list[str]:
    return list(findings(FLEET, report))  # type: ignore[arg-type]


def test_a_good_fleet_passes() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        (("outcome",), "hung", "the fleet hung with 2 of 2 rows"),
        (("outcome",), "failed", "the fleet failed with 2 of 2 rows"),
        (("workers", 0, "pid"), 102, "2 workers for 2, of 1 pids"),
        (("workers", 0, "row"), ["other", 1101], "a worker returned another fleet's row"),
        (("workers", 0, "row"), ["token", 1102], "workers shared a session"),
        (("workers", 0, "mark"), None, "a worker was not started by fork"),
        (("workers", 0, "first_row"), 5, "the clock ran backwards"),
        (("exitcodes",), [0, 1], "workers ended with 0, 1"),
        (("row_after",), ["other", 999], "the parent's connection does not answer as before"),
    ],
)
def test_each_defect_is_a_finding(path: tuple[Any, ...], value: Any, finding: str) -> None:
    assert found(with_value(GOOD, path, value)) == [finding]
