"""What reports and looks say together: processes that never go on, and those that outlive others."""

import itertools
import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.doctor.evidence.inside import Reported, first_uses
from harness.doctor.evidence.lifetimes import Lifetimes
from harness.doctor.findings import Certainty, Finding
from harness.doctor.judge import both
from harness.processes import proc

PARENT, WORKER = 10, 11
POOL, IMPORT = "the lock of the pool of the engine made at app.py:3 <module>", "the import of slow"

CLOCK = itertools.count()


def reported(event: str, pid: int, **fields: object) -> Reported:
    return Reported(event, pid, next(CLOCK), fields)


def of_worker(*events: tuple[str, str]) -> list[Reported]:
    """Of a fork in which another thread held locks, and then of the worker."""
    return [
        reported("fork", PARENT, place="app.py:9 main", by="fork", locks=[POOL], threads=["app.py:5 hold"]),
        reported("forked", WORKER, parent=PARENT),
        *(reported(event, WORKER, lock=lock, place="app.py:20 work") for event, lock in events),
    ]


@pytest.mark.parametrize(
    ("reports", "locked", "hazards"),
    [
        (of_worker(("entering", POOL)), [WORKER], ["pool_lock"]),
        (of_worker(("entering", IMPORT)), [WORKER], ["import_lock"]),
        (of_worker(("entering", POOL), ("entered", POOL), ("connecting", "")), [WORKER], ["native_lock"]),
        (of_worker(("entering", POOL)), [], []),
        (of_worker(("entering", POOL), ("entered", POOL)), [WORKER], []),
        (of_worker(), [WORKER], []),
    ],
    ids=["pool", "import", "driver", "it is not asleep", "it went on", "it waits for something else"],
)
def test_a_worker_never_goes_on_if_a_call_did_not_return_and_it_waits_for_a_lock(
    reports: list[Reported], locked: list[int], hazards: list[str]
) -> None:
    found = both.hangs(reports, locked)
    assert [finding.hazard for finding in found] == hazards
    assert {finding.certainty for finding in found} <= {Certainty.PROVEN}


def test_the_time_until_a_worker_has_used_its_first_connection_is_counted_from_its_fork() -> None:
    forked, served = replace(of_worker()[1], time=10**9), Reported("served", WORKER, 3 * 10**9, {})
    assert first_uses([forked, served, replace(served, pid=PARENT)]) == {WORKER: 2.0}


def finding(hazard: str, certainty: Certainty) -> Finding:
    return Finding(hazard, certainty, "", (), "", "")


def test_what_was_a_risk_and_has_been_seen_is_one_finding() -> None:
    risk, proven = finding("pool_lock", Certainty.RISK), finding("pool_lock", Certainty.PROVEN)
    hang = finding("inherited_lock", Certainty.RISK)
    assert both.merged([risk, proven], [hang]) == [proven]
    assert both.merged([risk], [hang]) == [risk, hang]


STATUS = "Name:\tpython\nSigPnd:\t{}\nShdPnd:\t0000000000000000\n"


@pytest.mark.parametrize(("pending", "killed"), [("0000", False), ("0100", True), ("4000", False)])
def test_a_process_that_was_killed_has_not_survived_although_it_gets_no_processor(
    monkeypatch: pytest.MonkeyPatch, pending: str, killed: bool
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _: STATUS.format(pending))
    assert proc.killed(PARENT) is killed


def test_a_daemon_is_one_whose_parent_ends_soon_after_even_on_a_slow_machine(tmp_path: Path) -> None:
    lifetimes = Lifetimes(tmp_path)
    lifetimes.close()
    lifetimes._ended, lifetimes._alive = {PARENT: 12.5}, {WORKER: 20.0}
    used = Reported("used", WORKER, 10 * 10**9, {"opener": PARENT})
    assert lifetimes.moved(used)
    assert not lifetimes.moved(Reported("used", WORKER, 9 * 10**9, {"opener": PARENT}))
    lifetimes._alive = {WORKER: 13.0}
    assert not lifetimes.moved(used)


def test_a_process_with_the_pid_of_one_that_has_ended_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{os.getpid()}.0.jsonl").touch()
    lifetimes = Lifetimes(tmp_path)
    lifetimes.close()
    assert lifetimes.running() == [os.getpid()]
    this = proc.stat(os.getpid())
    assert this
    monkeypatch.setattr(proc, "stat", lambda _: replace(this, start_ticks=this.start_ticks + 1))
    lifetimes._look()
    assert lifetimes.running() == []


@pytest.mark.parametrize(
    ("processes", "moved"),
    [((WORKER, PARENT), True), ((WORKER, 12, PARENT), False), ((WORKER, 9), False), ((), False)],
    ids=["a daemon", "another worker", "another's connection", "no use"],
)
def test_what_was_seen_of_a_daemon_before_its_parent_ended_is_not_held_against_it(
    processes: tuple[int, ...], moved: bool
) -> None:
    seen = replace(finding("shared_socket", Certainty.PROVEN), processes=processes)
    assert both.moved(seen, {(WORKER, PARENT)}) is moved
