"""Watching a real connection of real processes: who sent is proven, in doubt, or not known."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass

import pytest

from harness.doctor.evidence import movements
from harness.doctor.evidence.movements import Use
from harness.doctor.evidence.sockets import Address, Connection

READY = "print(flush=True)\n"
SENDS = """
import socket, sys, time
connection = socket.socket(fileno=int(sys.argv[1]))
while True:
    connection.send(b"x")
    time.sleep(0.002)
"""
COMPUTES = "while True: pass"
WAITS = "import time; time.sleep(600)"
ANSWERS = "import time\nwhile True: time.sleep(0.5)"

SECONDS = 0.5

TRIES = 30
"""Watches, at most: on a busy machine one may see too little."""


@dataclass
class Shared:
    """A connection to this process, held by programs."""

    stack: ExitStack
    client: socket.socket
    server: socket.socket

    def start(self, program: str) -> int:
        descriptor = self.client.fileno()
        command = [sys.executable, "-S", "-c", READY + program, str(descriptor)]
        process = subprocess.Popen(command, pass_fds=[descriptor], stdout=subprocess.PIPE)
        self.stack.enter_context(process)
        self.stack.callback(process.kill)
        assert process.stdout
        process.stdout.readline()
        return process.pid

    def connection(self, *pids: int) -> Connection:
        address = Address(*self.client.getsockname(), *self.client.getpeername())
        inode = os.fstat(self.client.fileno()).st_ino
        return Connection(inode, address, "", dict.fromkeys(pids, (self.client.fileno(),)))


@pytest.fixture
def shared() -> Iterator[Shared]:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.create_connection(listener.getsockname()))
        # As drivers do: what is sent leaves at once.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server, _ = listener.accept()
        stack.enter_context(server)
        yield Shared(stack, client, server)


def watch(connection: Connection, seconds: float, suspect: int, over: bool = True) -> tuple[Use, float]:
    with closing(movements.Watch([connection], {connection.inode: [suspect]})) as watching:
        took = watching.run(seconds, lambda: over)
        return watching.uses[connection.inode], took


def watched(shared: Shared, sender: int, other: int, over: bool = False) -> tuple[Use, float]:
    """What is seen after the first bytes; the sender is the one to find out about."""
    connection = shared.connection(sender, other)
    shared.server.recv(1)
    return watch(connection, SECONDS, sender, over)


def test_who_sends_while_the_other_waits_is_proven(shared: Shared) -> None:
    sender, other = shared.start(SENDS), shared.start(WAITS)
    for _ in range(TRIES):
        use, _ = watched(shared, sender, other)
        assert not use.shows(other)
        if use.shows(sender):
            break
    assert use.shows(sender), use
    assert not use.doubt(sender)


def test_while_the_other_computes_all_the_time_there_is_doubt_and_the_watch_takes_longer(
    shared: Shared,
) -> None:
    sender, other = shared.start(SENDS), shared.start(COMPUTES)
    for _ in range(TRIES):
        use, seconds = watched(shared, sender, other)
        assert not use.by.get(other), use
        if seconds >= SECONDS * movements.LONGER or use.shows(sender):
            return
    pytest.fail(f"it was never in doubt: {use}")


def test_a_watch_that_is_over_does_not_take_longer(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movements, "LONGER", 1000)
    sender, other = shared.start(SENDS), shared.start(COMPUTES)
    _, seconds = watched(shared, sender, other, over=True)
    assert seconds < SECONDS * movements.LONGER


def test_a_process_that_begins_to_hold_it_meanwhile_makes_what_was_seen_void(shared: Shared) -> None:
    first, second = shared.start(WAITS), shared.start(WAITS)
    connection = shared.connection(first, second)
    with closing(movements.Watch([connection], {connection.inode: [second]})) as watching:
        use = watching.uses[connection.inode]
        use.by[second] = 7
        watching.search()
        assert use.by == {second: 7}
        use.by[second] = 9
        newcomer = shared.start(WAITS)
        watching.search()
        assert use.by == {second: 7}
        assert newcomer in watching.holders(connection.inode)


def test_a_holder_that_closes_it_meanwhile_has_left(shared: Shared) -> None:
    first, this = shared.start(WAITS), os.getpid()
    connection = shared.connection(first, this)
    with closing(movements.Watch([connection], {connection.inode: [first]})) as watching:
        use = watching.uses[connection.inode]
        watching.search()
        assert use.left == set()
        shared.client.close()
        watching.search()
        assert use.left == {this}
        assert watching.holders(connection.inode) == [first]


def test_watching_takes_its_share_of_a_processor(shared: Shared) -> None:
    """Three times the share, less what is read before the first pause; without pauses it takes nearly all."""
    first, second = shared.start(COMPUTES), shared.start(WAITS)
    connection = shared.connection(first, second)

    def cost(seconds: float) -> tuple[float, float]:
        began = time.thread_time()
        _, took = watch(connection, seconds, first)
        return time.thread_time() - began, took

    (short, little), (long, much) = cost(0.2), cost(2.0)
    assert long - short < 3 * movements.BUDGET * (much - little)


def pauses(shared: Shared, program: str, monkeypatch: pytest.MonkeyPatch, idle: float = 0.1) -> list[float]:
    """Those of a watch without a budget, of a worker that runs this program beside a busy process."""
    connection = shared.connection(worker := shared.start(program), shared.start(COMPUTES))
    found: list[float] = []
    sleep = time.sleep
    monkeypatch.setattr(movements, "BUDGET", 100.0)
    monkeypatch.setattr(movements, "IDLE", idle)
    monkeypatch.setattr(time, "sleep", lambda seconds: (found.append(seconds), sleep(seconds)))
    watch(connection, 1.0, worker)
    return found


def test_a_worker_that_waits_is_looked_at_less_often(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    assert any(movements.CALM in pauses(shared, WAITS, monkeypatch) for _ in range(TRIES))


def test_a_worker_that_runs_is_looked_at_all_the_time(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pauses(shared, COMPUTES, monkeypatch)
    assert found.count(movements.SHORTEST) > found.count(movements.CALM)


def test_a_worker_that_runs_twice_a_second_is_looked_at_all_the_time(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert movements.CALM not in pauses(shared, ANSWERS, monkeypatch, idle=movements.IDLE)
