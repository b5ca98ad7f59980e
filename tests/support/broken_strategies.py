"""Strategies that break one thing each: a check has to notice, or a verdict has to turn."""

import functools
import os
import signal
import socket
import tempfile
import threading
import time
from dataclasses import replace
from multiprocessing.util import Finalize
from pathlib import Path

import psycopg2
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from harness import strategies, treatments
from harness.system import memory

MIB = 1024 * 1024
DELAY = 0.5
"""Seconds: many times what a forked phase takes even on a busy machine."""
ALLOCATED = 50 * MIB

DISPOSE = strategies.get("fork_dispose")
SPAWN = strategies.get("spawn")


def path(name: str) -> str:
    """The name under which `strategies.get` finds a strategy of this module."""
    return f"{__name__}:{name}"


kept: list[object] = []
"""Keeps objects alive as long as the worker."""


def delay() -> None:
    """Compute for a while. A processor that sleeps loses its caches, which delays the next phase as well."""
    end = time.monotonic() + DELAY
    while time.monotonic() < end:
        pass


def dispose_slowly(engine: Engine) -> Engine:
    delay()
    return treatments.dispose_without_closing(engine)


def query_slowly(engine: Engine) -> Engine:
    event.listen(engine, "before_cursor_execute", lambda *_: delay())
    return treatments.dispose_without_closing(engine)


def allocate(engine: Engine) -> Engine:
    kept.append(b"x" * ALLOCATED)
    return treatments.dispose_without_closing(engine)


def ask_for_another_row(engine: Engine) -> Engine:
    def change(connection, cursor, statement, parameters, context, executemany):  # type: ignore[no-untyped-def]
        return statement, {"token": "another's"}

    event.listen(engine, "before_cursor_execute", change, retval=True)
    return treatments.dispose_without_closing(engine)


def close_the_parents_connection(engine: Engine) -> Engine:
    engine.dispose()
    return engine


HANGING = "hanging"
"""The file in its directory for temporary files in which a worker that hangs has written its pid."""


def hang(engine: Engine) -> Engine:
    unfinished = Path(tempfile.gettempdir(), f"{HANGING}.part")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(unfinished.with_suffix(""))
    threading.Event().wait()
    return engine


def work_for_ever(handed: object) -> Engine:
    while True:
        pass


def fail(engine: Engine) -> Engine:
    raise RuntimeError("a worker of the tests fails")


def die(engine: Engine) -> Engine:
    os._exit(9)


def note_readings_of_memory(engine: Engine) -> None:
    read = memory.read

    def noted() -> dict[str, int]:
        kept.append("memory was read")
        return read()

    memory.read = noted  # type: ignore[assignment]


def fail_if_memory_was_read(engine: Engine) -> Engine:
    if kept:
        raise AssertionError(f"before the fork, {kept[0]}")
    return treatments.dispose_without_closing(engine)


def hang_up_in_every_child(engine: Engine) -> None:
    connections = []
    event.listen(engine, "connect", lambda connection, record: connections.append(connection))

    def hang_up() -> None:
        ours, theirs = socket.socketpair()
        theirs.close()
        for connection in connections:
            if not connection.closed:
                os.dup2(ours.fileno(), connection.fileno())
        ours.close()

    os.register_at_fork(after_in_child=hang_up)


def wait_for_ever(engine: Engine) -> None:
    threading.Event().wait()


def raise_an_error(engine: Engine) -> None:
    raise LookupError("no such parent")


def leave_with_an_error(engine: Engine) -> Engine:
    kept.append(Finalize(None, os._exit, args=(3,), exitpriority=100))
    return treatments.dispose_without_closing(engine)


def leave_a_process_behind(engine: Engine) -> Engine:
    url = make_url(engine.url)
    connected, connects = os.pipe()
    if os.fork() == 0:
        kept.append(psycopg2.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)))
        os.write(connects, b"x")
        signal.pause()
        os._exit(0)
    # The session of the grandchild must exist before the worker goes on.
    os.read(connected, 1)
    return treatments.dispose_without_closing(engine)


def import_pandas(url: str) -> Engine:
    import pandas  # noqa: F401

    return treatments.create(url)


def create_beside(freight: bytes, url: str) -> Engine:
    return treatments.create(url)


HEALTHY = replace(DISPOSE)
TWIN = replace(DISPOSE)
ENGINE_SLOW = replace(DISPOSE, in_worker=dispose_slowly)
QUERY_SLOW = replace(DISPOSE, in_worker=query_slowly)
ALLOCATES = replace(DISPOSE, in_worker=allocate)
FORGETS_TO_DISPOSE = replace(DISPOSE, in_worker=treatments.keep)
DOES_NOT_SHARE = replace(DISPOSE, shares_connection=True)
WRONG_ROW = replace(DISPOSE, in_worker=ask_for_another_row)
CLOSES = replace(DISPOSE, in_worker=close_the_parents_connection)
HANGS = replace(DISPOSE, in_worker=hang)
WORKS_FOR_EVER = replace(strategies.get("forkserver"), in_worker=work_for_ever)
FAILS = replace(DISPOSE, in_worker=fail)
FAILS_LOUDLY = replace(DISPOSE, on_engine=hang_up_in_every_child)
"""Its worker gets an error from each connection that it inherited, and the parent keeps it."""
MEASURES_AFTERWARDS = replace(DISPOSE, on_engine=note_readings_of_memory, in_worker=fail_if_memory_was_read)
"""Its first worker fails if the parent has read its own memory before it starts."""
DIES = replace(DISPOSE, in_worker=die)
EXITS_BADLY = replace(DISPOSE, in_worker=leave_with_an_error)
LEAVES_BEHIND = replace(DISPOSE, in_worker=leave_a_process_behind)
IMPORTS_PANDAS = replace(SPAWN, in_worker=import_pandas)
CARRIES_FREIGHT = replace(SPAWN, in_worker=functools.partial(create_beside, b"x" * MIB))
DOES_NOT_DISPOSE_BEFORE = replace(
    strategies.get("fork_dispose_before"),
    before_start=treatments.leave_alone,
    in_worker=treatments.dispose_without_closing,
)
KEEPS_CONNECTION = replace(strategies.get("fork_dispose_close"), in_worker=treatments.dispose_without_closing)
KILLS_UNDECLARED = replace(
    strategies.get("fork_dispose_close"), parent_connection=strategies.ParentConnection.KEPT
)
FORGETS_THE_GUARD = replace(strategies.get("fork_pidguard"), on_engine=None)

# A cure is removed or added, so the verdict has to change.
LOSES_NULLPOOL = replace(strategies.get("nullpool"), pool="")
FORKS_INSTEAD = replace(SPAWN, start_method="fork", in_worker=treatments.keep)
SPAWNS_INSTEAD = replace(DISPOSE, start_method="spawn", in_worker=treatments.create)
DISPOSES_BEFORE = replace(DISPOSE, before_start=Engine.dispose)
PARENT_HANGS = replace(DISPOSE, before_start=wait_for_ever)
"""Its parent never starts a worker."""
PARENT_FAILS = replace(DISPOSE, before_start=raise_an_error)
