"""Elimination: who sent, from recorded readings of counters and of the threads of all holders."""

import math
import os
import select
import socket
import struct
import subprocess
import sys
import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from unittest.mock import ANY

import pytest

from harness.doctor.evidence import netlink, waits
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.evidence.movements import CLEAN, ENOUGH, Look, Use, attribute
from harness.doctor.evidence.netlink import Counters
from harness.doctor.evidence.runs import ENDED, RunReading, Runs
from harness.doctor.evidence.sockets import Address, Connection
from harness.doctor.evidence.tree import Process
from harness.doctor.judge.outside import judge

PARENT, WORKER = 10, 11
CONNECTION = Connection(
    7, Address("127.0.0.1", 40000, "127.0.0.1", 5432), "port 5432", {PARENT: (3,), WORKER: (3,)}
)

IDLE = RunReading("1:5 6 7", True)
RAN = RunReading("1:5 9 8", True)
RUNNING = RunReading("1:5 6 7", False)
NEW_THREAD = RunReading("1:5 6 7 2:1 1 1", True)
GONE = RunReading(ENDED, True)

NOTHING, SENT = Counters(100, 0, 0, 1.0), Counters(180, 0, 0, 0.0)


def look(parent: RunReading, worker: RunReading, counters: Counters | None) -> Look:
    runs = {PARENT: parent, WORKER: worker}
    return Look(runs, counters, runs)


def attributed(first: Look, second: Look) -> Use:
    use = Use(7)
    attribute(use, first, second)
    return use


@pytest.mark.parametrize(
    ("first", "second", "by"),
    [
        (look(IDLE, IDLE, NOTHING), look(IDLE, RAN, SENT), {WORKER: 1}),
        (look(IDLE, IDLE, NOTHING), look(RAN, RAN, SENT), {}),
        (look(IDLE, IDLE, NOTHING), look(IDLE, RAN, NOTHING), {}),
        (look(IDLE, IDLE, NOTHING), look(NEW_THREAD, RAN, SENT), {}),
        (look(RUNNING, IDLE, NOTHING), look(IDLE, RAN, SENT), {}),
        (look(IDLE, IDLE, NOTHING), look(RUNNING, RAN, SENT), {WORKER: 1}),
        (look(IDLE, IDLE, replace(NOTHING, unsent=10)), look(IDLE, RAN, SENT), {}),
        (look(IDLE, IDLE, None), look(IDLE, RAN, SENT), {}),
        (look(GONE, IDLE, NOTHING), look(GONE, RAN, SENT), {}),
        (look(IDLE, IDLE, NOTHING), look(GONE, RAN, SENT), {}),
    ],
    ids=[
        "one ran",
        "both ran",
        "nothing was sent",
        "a thread of the other began",
        "the other was running",
        "the other is ready to run",
        "the send queue was not empty",
        "no counters",
        "the other had ended",
        "the other ended meanwhile",
    ],
)
def test_who_sent(first: Look, second: Look, by: dict[int, int]) -> None:
    assert attributed(first, second).by == by


def test_what_several_can_have_sent_is_divided_among_them() -> None:
    use = attributed(look(IDLE, IDLE, NOTHING), look(RAN, RAN, SENT))
    assert use.unclear == {PARENT: 0.5, WORKER: 0.5}


def test_bytes_that_no_holder_can_have_sent_are_of_one_that_is_not_known() -> None:
    use = attributed(look(IDLE, IDLE, NOTHING), look(IDLE, IDLE, SENT))
    use.by[WORKER] = 10
    assert not use.shows(WORKER)


@pytest.mark.parametrize(
    ("by", "unclear", "doubt"),
    [
        ({}, 0.5, False),
        ({}, 2.0, True),
        ({WORKER: 1}, 0.0, True),
        ({WORKER: 2}, 9.0, False),
        ({PARENT: 100}, 9.0, False),
        ({PARENT: 100}, 90.0, True),
    ],
)
def test_the_watch_goes_on_while_a_worker_can_have_sent_most_of_it(
    by: dict[int, int], unclear: float, doubt: bool
) -> None:
    assert Use(7, by=by, unclear={WORKER: unclear}, counted=True).doubt(WORKER) == doubt


@pytest.mark.parametrize(
    ("looks", "waited", "doubt"),
    [(ENOUGH - 1, 0, True), (ENOUGH, 0, False), (ENOUGH, 1, True), (2, CLEAN, False)],
    ids=["too few looks", "enough", "seen once", "proven"],
)
def test_the_watch_goes_on_until_a_connection_without_counters_was_looked_at_often_enough(
    looks: int, waited: int, doubt: bool
) -> None:
    assert Use(7, looks=looks, waited={WORKER: waited}).doubt(WORKER) == doubt


def test_enough_looks_show_a_worker_that_waits_at_two_of_a_hundred() -> None:
    """By the binomial distribution, of `CLEAN` looks: they miss one in twenty at most."""
    waits, missed = 0.02, 0.05
    chances = (math.comb(ENOUGH, n) * waits**n * (1 - waits) ** (ENOUGH - n) for n in range(CLEAN))
    assert sum(chances) < missed


def process(pid: int, ppid: int) -> Process:
    return Process(pid, ppid, "app", 1.0 * pid, 1, 4096, True)


@pytest.mark.parametrize(("intervals", "count"), [(1, 0), (2, 1)])
def test_one_interval_proves_nothing(intervals: int, count: int) -> None:
    evidence = TreeEvidence(
        root=PARENT,
        processes={PARENT: process(PARENT, 1), WORKER: process(WORKER, PARENT)},
        copies={WORKER: PARENT},
        connections=(CONNECTION,),
        uses={7: Use(7, by={WORKER: intervals}, counted=True)},
        locked=(),
        watched=5.0,
    )
    assert len(judge(evidence)) == count


def test_all_threads_are_read_each_time() -> None:
    runs = Runs(os.getpid())
    try:
        before = runs.read().runs
        go, began = threading.Event(), threading.Event()
        thread = threading.Thread(target=lambda: (began.set(), go.wait()))
        thread.start()
        began.wait()
        during = runs.read().runs
        go.set()
        thread.join()
    finally:
        runs.close()
    assert str(thread.native_id) + ":" in during
    assert str(thread.native_id) + ":" not in before


def test_what_is_sent_again_is_not_counted() -> None:
    info = bytearray(netlink.BYTES_RETRANSMITTED + 8)
    struct.pack_into("=QQ", info, netlink.BYTES_SENT, 1000, 300)
    body = (
        bytes(56)
        + struct.pack("=II", 5, 0)
        + bytes(8)
        + struct.pack("=HH", len(info) + 4, netlink.INET_DIAG_INFO)
        + bytes(info)
    )
    assert netlink.counted(body) == Counters(700, 0, 5, 0.0)


def test_a_process_that_ends_meanwhile_is_one_that_ran() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    runs = Runs(child.pid)
    before = runs.read()
    assert child.stdin
    child.stdin.close()
    # It has ended, and its parent does not know yet.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert before.ran_until(runs.read())
    assert runs.read().ended
    child.wait()
    assert runs.read().ended
    runs.close()


ANSWERS = """
import os, select, sys
poll = select.poll()
poll.register(0, select.POLLIN)
while True:
    poll.poll()
    os.write(1, os.read(0, 1))
"""


def test_what_a_thread_polls_is_not_known_if_it_went_on_while_its_memory_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = [sys.executable, "-S", "-c", ANSWERS]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert child.stdin
    assert child.stdout
    question, answer = child.stdin.fileno(), child.stdout.fileno()
    runs, original = Runs(child.pid), waits.parsed
    went_on: list[waits.Wait] = []

    def go_on() -> None:
        os.write(question, b"x")
        os.read(answer, 1)

    def parsed(pid: int, thread: int, line: str) -> waits.Wait | None:
        found = original(pid, thread, line)
        if found and not went_on:
            go_on()
            went_on.append(found)
        return found

    with ExitStack() as stack:
        stack.enter_context(child)
        stack.callback(child.kill)
        stack.enter_context(closing(runs))
        go_on()
        while [wait.descriptor for wait in runs.waits()] != [0]:
            runs.read()
        monkeypatch.setattr(waits, "parsed", parsed)
        go_on()
        while not went_on:
            runs.read()
        assert list(runs.waits()) == []


def test_a_process_with_the_pid_of_one_that_has_ended_is_not_read() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    assert child.stdin
    with closing(Runs(child.pid)) as runs:
        runs.read()
        child.stdin.close()
        child.wait()
        runs.pid = os.getpid()
        assert runs.read().ended


def test_counters_of_a_later_connection_between_the_same_ends_are_not_taken_for_it() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        closing(netlink.Diag()) as diag,
    ):
        inode = os.fstat(client.fileno()).st_ino
        asked = netlink.request(*client.getsockname(), *client.getpeername())
        assert diag.counters(asked, inode) == replace(netlink.Counters(0, 0, 0, 0.0), inode=inode, idle=ANY)
        assert diag.counters(asked, inode + 1) is None


def test_an_end_of_the_connection_that_was_not_noticed_is_seen() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        closing(netlink.Diag()) as diag,
    ):
        server, _ = listener.accept()
        server.send(b"message")
        server.close()
        end = select.poll()
        end.register(client, select.POLLRDHUP)
        end.poll()
        inode = os.fstat(client.fileno()).st_ino
        asked = netlink.request(*client.getsockname(), *client.getpeername())
        counters = diag.counters(asked, inode)
        assert counters
        assert counters.ended
        # The end itself counts for one.
        assert counters.unread == len(b"message") + 1
