"""The checks of a pool: each defect is found, and a good pool passes."""

from typing import Any

import pytest

from harness import strategies
from harness.pools.checks import PoolOrder, findings
from tests.support.defects import with_value

TOKEN, MARK, PARENT = "token", "mark", 100

ORDER = PoolOrder(strategies.get("fork_dispose"), 2, TOKEN, MARK, PARENT)

GOOD: dict[str, Any] = {
    "outcome": "done",
    "called": 10,
    "returned": 20,
    "workers": [
        {"pid": pid, "ppid": PARENT, "mark": MARK, "row": [TOKEN, 1000 + pid], "started": 15, "first_row": 30}
        for pid in (101, 102)
    ],
    "exitcodes": [0, 0],
    "backend_before": 999,
    "row_after": [TOKEN, 999],
}


def found(report: dict[str, Any]) -> list[str]:
    return findings(ORDER, report)  # type: ignore[arg-type]


def test_a_good_pool_passes() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        (("outcome",), "hung", "2 of 2 workers had their row in time"),
        (("workers", 0, "pid"), 102, "the initializer ran 2 times for 2 workers"),
        (
            ("workers",),
            [*GOOD["workers"], {**GOOD["workers"][0], "row": [TOKEN, 1101]}],
            "the initializer ran 3 times for 2 workers",
        ),
        (("workers", 0, "mark"), None, "a worker was started by spawn"),
        (("workers", 0, "ppid"), 1, "a worker was started by an unknown method"),
        (("workers", 0, "row"), ["other", 1101], "a worker returned another worker's row"),
        (("workers", 0, "row"), [TOKEN, 1102], "workers shared a session"),
        (("workers", 0, "row"), [TOKEN, 999], "workers shared a session"),
        (("workers", 0, "started"), 5, "the clock ran backwards"),
        (("row_after",), [TOKEN, 998], "the parent's connection does not answer as before"),
        (("exitcodes",), [0, 1], "workers ended with [0, 1]"),
        (("exitcodes",), [0], "workers ended with [0]"),
    ],
)
def test_each_defect_is_a_finding(path: tuple[Any, ...], value: Any, finding: str) -> None:
    assert found(with_value(GOOD, path, value)) == [finding]
