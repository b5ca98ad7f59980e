"""The worker reads the beginning of an answer, and the parent reads the rest as its own."""

from __future__ import annotations

import fcntl
import select
import struct
import termios
from collections.abc import Callable
from typing import Any

from harness.fixes import EVERY_ENGINE, OTHER_CONNECTION, OWN_CONNECTIONS
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import ANSWER_DEADLINE
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker, plain

LARGE = "select repeat('o', 30000000)"
"""An answer of one message, larger than all buffers on its way, so that no single read gets all of it.

Its letter is not the type of a message that may be long. With d, which is one, the parent's libpq would take
four letters for the length of a message of more than a gigabyte, and wait for that.
"""

BEGUN = 1000
"""Bytes: more than any other answer of these sessions has."""


def stop_part_way(report: Callable[[int], None]) -> Callable[[Any], None]:
    """A wait callback of psycopg2: libpq reads, and once it is inside a large message `report` is called.

    `report` gets the number of bytes read so far; libpq goes on when it returns.
    """

    def wait(connection: Any) -> None:
        taken = 0
        while True:
            taken += waiting_bytes(connection)
            match connection.poll():
                case 0:  # POLL_OK: the whole answer is here
                    return
                case 1 if taken > BEGUN:  # POLL_READ: it is not
                    report(taken)
                    taken = -(2**62)
                case 1:
                    select.select([connection], [], [])
                case 2:
                    select.select([], [connection], [])

    return wait


def waiting_bytes(connection: Any) -> int:
    """Bytes that have arrived and are not read yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.FIONREAD, b"\0" * 4))
    return int(count)


def read_a_part(worker: Worker) -> None:
    """Ask for a large value, and stop in the middle of reading it."""
    import psycopg2.extensions

    engine = worker.engine()

    def reading(taken: int) -> None:
        worker.report(taken)
        worker.wait()

    psycopg2.extensions.set_wait_callback(stop_part_way(reading))
    with engine.connect() as connection:
        connection.exec_driver_sql(LARGE)


def reproduce(parent: Parent) -> bool:
    from sqlalchemy.exc import DBAPIError

    engine = parent.engine()
    parent.warm(engine)
    # A worker that waits for a server to produce 30 million letters is idle, and does not hang.
    parent.silence = ANSWER_DEADLINE
    worker = parent.start(read_a_part, engine=engine)
    parent.tell("worker", "Asks for a value of 30 million letters, all of them o.")
    taken = worker.answer()
    parent.tell("server", "Sends one message, as fast as it is read.")
    parent.tell("worker", f"Has read {'the beginning' if taken > BEGUN else 'nothing'} of it, and pauses.")
    error = ""
    try:
        with engine.connect() as connection:
            answer = connection.exec_driver_sql("select 'parent'").scalar()
        if answer != "parent":
            error = f"select 'parent' returned {str(answer)[:20]!r}"
    except DBAPIError as raised:
        error = plain(raised)
    finally:
        worker.kill()
    if error:
        parent.tell("parent", "Asks for select 'parent', and reads from the middle of the worker's message.")
        parent.tell("user", error)
        return True
    parent.tell("parent", "Asks for select 'parent', and reads its own row.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="torn_message",
    title="A message torn between two readers",
    description=(
        "A stream of bytes has no message boundaries. A process that reads from a shared socket gets the"
        " bytes that are there, and they are gone for the other process: of Hello and World one may get Hel,"
        " the other loWor, and the first then ld. A worker that has read the beginning of an answer leaves"
        " the rest to the next reader. The parent's libpq takes that rest for the beginning of a message: it"
        " reads a letter from the middle of the worker's value as the message type and the next four as the"
        " length, and gives up."
    ),
    symptom='lost synchronization with server: got message type "p", length 1919903337.',
    affected_when=(
        "The parent reads anything but its own row while the worker is in the middle of reading an answer."
    ),
    avoidance=OWN_CONNECTIONS,
    fixes=(EVERY_ENGINE, OTHER_CONNECTION),
    severity=Severity.LOUD_ERROR,
    messages=("lost synchronization with server: got message type",),
    links=(
        "https://www.postgresql.org/docs/current/protocol-message-formats.html",
        "https://www.psycopg.org/docs/usage.html#thread-and-process-safety",
        "https://github.com/PlanExeOrg/PlanExe/pull/674",
        "https://github.com/alan-turing-institute/AIrsenal/issues/346",
    ),
    reproduce=reproduce,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
)
