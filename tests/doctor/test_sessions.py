"""From recorded evidence about connections and sessions to findings."""

from dataclasses import replace
from typing import Any

import pytest

from harness.doctor import report
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.evidence.movements import Use
from harness.doctor.evidence.netlink import Counters
from harness.doctor.evidence.server import ServerView, Session
from harness.doctor.evidence.sockets import Address, Connection
from harness.doctor.evidence.stacks import Frame, Stack
from harness.doctor.evidence.tree import Process
from harness.doctor.findings import Certainty, Finding
from harness.doctor.judge.outside import judge

PARENT, WORKER, BACKEND = 10, 11, 500

NOW = 1000.0
"""Seconds since boot: the parent began 100 s ago, and the worker 60 s ago."""

FIRST = Address("10.0.0.7", 40000, "10.0.0.9", 5432)
SECOND = Address("10.0.0.7", 40001, "10.0.0.9", 5432)


def process(pid: int, ppid: int, **fields: Any) -> Process:
    began = NOW - 100 if pid == PARENT else NOW - 60
    return replace(Process(pid, ppid, "python app.py", began, 1, 4096, True), **fields)


def connection(*holders: int, inode: int = 7, address: Address = FIRST) -> Connection:
    return Connection(inode, address, "port 5432", dict.fromkeys(holders, (3,)))


def evidence(*connections: Connection, idle: float | None = None, **fields: Any) -> TreeEvidence:
    """A worker without its parent, by default, and connections over which nothing was sent for `idle` s."""
    counters = {} if idle is None else {each.inode: Counters(100, 0, 0, idle) for each in connections}
    given: dict[str, Any] = {
        "root": WORKER,
        "processes": {WORKER: process(WORKER, 1)},
        "copies": {},
        "connections": connections,
        "uses": {},
        "locked": (),
        "watched": 5.0,
        "counters": counters,
        "boot": NOW,
    }
    return TreeEvidence(**{**given, **fields})


def session(age: float, unchanged: float, **fields: Any) -> Session:
    return replace(Session(BACKEND, FIRST.host, FIRST.port, "idle", age, unchanged, (), 0.0), **fields)


def view(*sessions: Session) -> ServerView:
    return ServerView(sessions, 100)


def found(evidence: TreeEvidence) -> list[tuple[str, Certainty]]:
    return [(finding.hazard, finding.certainty) for finding in judge(evidence)]


CERTAIN = [("orphaned_backend", Certainty.CERTAIN)]
RISK = [("orphaned_backend", Certainty.RISK)]
OWN = connection(WORKER, inode=8, address=SECOND)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (evidence(connection(WORKER), idle=60.5), CERTAIN),
        (evidence(connection(WORKER), idle=60.05, began={7: NOW - 61}), RISK),
        (evidence(connection(WORKER), OWN, idle=60.05, began={7: NOW - 61, 8: NOW - 59}), CERTAIN),
        (evidence(connection(WORKER), idle=30.0, began={7: NOW - 61}), RISK),
        (evidence(connection(WORKER), idle=1.0, began={7: NOW - 61}), []),
        (evidence(connection(WORKER), idle=60.01), RISK),
        (evidence(connection(WORKER), idle=59.9), []),
        (evidence(connection(WORKER), idle=60.01, began={7: NOW - 60}), []),
        (evidence(connection(WORKER), idle=60.01, processes={WORKER: process(WORKER, PARENT)}), []),
        (evidence(connection(WORKER, 12), idle=60.5), []),
        (evidence(connection(WORKER), idle=60.5, hidden=(PARENT,)), []),
        (evidence(connection(WORKER), server=view(session(62.0, 62.0))), CERTAIN),
        (evidence(connection(WORKER), server=view(session(62.0, 30.0))), RISK),
        (evidence(connection(WORKER), server=view(session(62.0, 1.0))), []),
        (evidence(connection(WORKER), server=view(session(60.5, 60.5))), RISK),
        (evidence(connection(WORKER), server=view(session(62.0, 62.0, host="10.0.0.8"))), []),
    ],
    ids=[
        "nothing was sent since before it began",
        "it is older, and may have been used at once",
        "it is older, and the worker has its own",
        "it is older, and was used since then",
        "it is older, and in use: a daemon",
        "it may be older, and its parent has ended",
        "it connected after a while",
        "it is its own",
        "its parent lives",
        "another process holds it, too",
        "its parent cannot be read",
        "it is older by the server's clock",
        "that, and used since then",
        "that, and in use",
        "the clocks may differ by that",
        "the session of another host's client with that port",
    ],
)
def test_a_session_that_outlived_the_process_that_opened_it(
    seen: TreeEvidence, expected: list[tuple[str, Certainty]]
) -> None:
    assert found(seen) == expected


def ended(unread: int) -> dict[int, Counters]:
    return {7: Counters(100, 0, unread, 30.0, 7, True)}


BOTH = {PARENT: process(PARENT, 1), WORKER: process(WORKER, PARENT)}


@pytest.mark.parametrize(
    ("seen", "hazard"),
    [
        (evidence(connection(WORKER), counters=ended(120)), "idle_cut"),
        (evidence(connection(WORKER), counters=ended(1)), "idle_cut"),
        (
            evidence(
                connection(PARENT, WORKER), counters=ended(120), processes=BOTH, copies={WORKER: PARENT}
            ),
            "idle_cut",
        ),
        (
            evidence(connection(PARENT), counters=ended(1), processes=BOTH, copies={WORKER: PARENT}),
            "parent_closed",
        ),
    ],
    ids=[
        "the server's message is unread",
        "no message, and no other process",
        "two processes hold it",
        "no message, and a worker",
    ],
)
def test_a_connection_that_was_ended_is_a_risk_and_never_a_shared_one(
    seen: TreeEvidence, hazard: str
) -> None:
    assert found(seen) == [(hazard, Certainty.RISK)]


def blocked(**blocker: Any) -> TreeEvidence:
    """The worker's session waits for 30 s for one of its parent."""
    waits = session(40.0, 30.0, port=SECOND.port, blocked_by=(BACKEND,), backend=501, state="active")
    holds = session(90.0, 50.0, state="idle in transaction", transaction=55.0)
    connections = connection(PARENT), connection(WORKER, inode=8, address=SECOND)
    return evidence(*connections, idle=1.0, processes=BOTH, server=view(waits, replace(holds, **blocker)))


@pytest.mark.parametrize(
    ("seen", "certainty"),
    [
        (blocked(), [Certainty.CERTAIN]),
        (blocked(unchanged=2.0), [Certainty.RISK]),
        (blocked(state="active"), [Certainty.RISK]),
        (blocked(state=""), [Certainty.RISK]),
    ],
    ids=["idle all the time", "it did something meanwhile", "it is at work", "its state is not known"],
)
def test_a_worker_that_waits_for_its_parents_transaction(
    seen: TreeEvidence, certainty: list[Certainty]
) -> None:
    assert found(seen) == [("uncommitted_parent", each) for each in certainty]


def test_a_short_wait_for_a_lock_is_no_finding() -> None:
    seen = blocked()
    assert seen.server
    first, second = seen.server.sessions
    assert found(replace(seen, server=view(replace(first, unchanged=0.5), second))) == []


def shared(threads: int, **fields: Any) -> Finding:
    """What is found if a worker uses a connection of gunicorn's master, which has these threads."""
    master = process(PARENT, 1, threads=threads, command="/bin/python /bin/gunicorn --preload app:app")
    seen = evidence(
        connection(PARENT, WORKER),
        processes={PARENT: master, WORKER: process(WORKER, PARENT)},
        copies={WORKER: PARENT},
        uses={7: Use(7, waited={WORKER: 5}, counted=True)},
        **fields,
    )
    [finding] = judge(seen)
    assert (finding.hazard, finding.certainty) == ("shared_socket", Certainty.CERTAIN)
    return finding


def stack(file: str) -> dict[int, tuple[Stack, ...]]:
    return {PARENT: (Stack("MainThread", (), True), Stack("1", (Frame("worker", file, 7),), False))}


DISPOSE, POOL = "engine.dispose(close=False)", "app.pool = ConnectionPool(...)"
MASTER = frozenset({PARENT})


@pytest.mark.parametrize(
    ("finding", "lines"),
    [
        (shared(1, psycopg=MASTER), [DISPOSE]),
        (shared(5), [DISPOSE]),
        (shared(5, psycopg=MASTER), [POOL, DISPOSE]),
        (shared(5, psycopg=MASTER, stacks=stack("/lib/site-packages/psycopg_pool/pool.py")), [POOL]),
        (shared(5, psycopg=MASTER, stacks=stack("/app/clock.py")), [DISPOSE]),
    ],
    ids=["one thread", "no psycopg 3", "threads", "its stacks show the pool", "its stacks show others"],
)
def test_the_fix_is_that_of_the_pool_whose_threads_the_workers_lack(
    finding: Finding, lines: list[str]
) -> None:
    assert [line for line in (POOL, DISPOSE) if line in finding.fix] == lines
    assert any("--stacks" in line for line in finding.evidence) == (len(lines) == 2)


@pytest.mark.parametrize("threads", [1, 5], ids=["an engine", "or a psycopg_pool"])
def test_what_many_workers_do_fits_on_a_screen(threads: int) -> None:
    workers, inodes = range(WORKER, WORKER + 40), range(7, 12)
    master = process(PARENT, 1, threads=threads, command="gunicorn: master [app:app]")
    seen = evidence(
        *(connection(PARENT, *workers, inode=inode) for inode in inodes),
        processes={PARENT: master, **{pid: process(pid, PARENT) for pid in workers}},
        copies=dict.fromkeys(workers, PARENT),
        uses={
            inode: Use(inode, by=dict.fromkeys(workers, 5), waited=dict.fromkeys(workers, 5), counted=True)
            for inode in inodes
        },
        psycopg=MASTER,
    )
    lines = report.lines(seen, judge(seen))
    assert "40 processes use 5 connections of process 10" in lines[0]
    # A prompt is below them.
    assert len(lines) < 24, "\n".join(lines)
    assert all(len(line) < 80 for line in lines)
