"""The doctor's victims as parameters of tests."""

import subprocess
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.doctor import detected
from harness.doctor.proof.programs import HEALTHY, POOLSTART
from harness.system.environment import environment

TOGETHER = 4
"""Programs that run at the same time."""

SUSPICIOUS = ("idle_pool", "daemon", "listening")
"""Healthy programs that stand for the others."""

SLOW = (
    "grandchild", "grandparent", "handler", "idle_cut", "lazy_executor", "leader", "native_lock", "session",
    "shared_by_threads", "siblings", "startup_race", "thread_fork", "two_engines", "unix_socket",
)  # fmt: skip
"""Further victims of hazards that others stand for."""


PASTED = ("engines", "handed", "leader", "listener", "native_lock", "random_numbers", "settings", "signalled",
          "transaction")  # fmt: skip
"""Victims of which tests/doctor/test_pasted.py has programs that come to an end."""

HAZARDS = {name: hazard for hazard, row in detected.rows().items() for name in row.victims}
"""The hazard of each victim."""


def broken(without: Sequence[str] = ()) -> list[Any]:
    """Parameters of a test: victims that stand for others, and the others."""
    return _in_two([name for name in HAZARDS if name not in without], SLOW)


def healthy() -> list[Any]:
    """Parameters of a test: some programs that do nothing wrong, and the others."""
    return _in_two(HEALTHY, [name for name in HEALTHY if name not in SUSPICIOUS])


def _in_two(names: Sequence[str], slow: Collection[str]) -> list[Any]:
    others = tuple(name for name in names if name in slow)
    return [
        pytest.param(tuple(name for name in names if name not in slow), id="some"),
        pytest.param(others, id="others", marks=pytest.mark.slow),
    ]


def together(look: Callable[[str], object], names: Iterable[str]) -> dict[str, object]:
    """What a look at each program finds, by its name. They mostly wait, so several run at a time."""
    names = list(names)
    with ThreadPoolExecutor(TOGETHER) as executor:
        return dict(zip(names, executor.map(look, names), strict=True))


def unexpected(name: str, variant: str, report: dict[str, Any]) -> object:
    """The report of a victim that was run as a command; empty if it says what it should."""
    row = detected.rows()[HAZARDS[name]]
    if variant == "fixed":
        certainties = [finding["certainty"] for finding in report["findings"]]
        return "" if certainties == (["risk"] if row.fixed_is_risk else []) else report
    wanted = row.command_as or HAZARDS[name]
    found = [each["certainty"] for each in report["findings"] if each["hazard"] == wanted]
    return "" if found and found[0] in row.command else report


def poolstart(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*POOLSTART, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
