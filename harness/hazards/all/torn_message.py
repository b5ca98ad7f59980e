"""The worker reads the beginning of an answer, and the parent reads the rest as its own."""

import os
import select
import struct
from typing import Any

from harness import drivers
from harness.fixes import EVERY_ENGINE, OTHER_CONNECTION, OWN_CONNECTIONS
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.handle import ANSWER_DEADLINE, Failed, Hung
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.session import dbapi_connection, wrong_row
from harness.hazards.inside.worker import Worker

LARGE = "select repeat('o', 30000000)"
"""A query whose answer is one message, too large for a single read to get all of it.

The value's letter must not be the type of a message that may be long. With d, which is one, the parent's
libpq would take four letters for the length of a message of more than a gigabyte, and wait for that.
"""

BEGUN = 1000
"""Bytes, more than any other answer of these sessions has."""


def read_a_part(worker: Worker, driver: str) -> None:
    """Query a large value, and read the beginning of the answer, like a driver that is interrupted.

    The messages are sent and read on the socket itself, because each driver reads in its own way.
    """
    with worker.engine().connect() as connection:
        pooled: Any = connection.connection
        raw = dbapi_connection(pooled._connection_record)
        socket = drivers.get(driver).descriptor(getattr(raw, "driver_connection", raw))
        query = LARGE.encode() + b"\0"
        os.write(socket, b"Q" + struct.pack("!I", 4 + len(query)) + query)
        taken = 0
        while taken <= BEGUN:
            select.select([socket], [], [])
            taken += len(os.read(socket, 2 * BEGUN))
        worker.report(taken)
        worker.wait()


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    parent.warm(engine)
    # A worker that waits for a server to produce 30 million letters is idle, but does not hang.
    parent.silence = ANSWER_DEADLINE
    worker = parent.start(read_a_part, parent.driver.name, engine=engine)
    parent.tell("worker", "Asks for a value of 30 million letters, all of them o.")
    parent.tell("server", "Sends one message, as fast as it is read.")
    try:
        worker.answer()
        parent.tell("worker", "Has read the beginning of it, and pauses.")
    except (Failed, Hung) as failed:
        parent.tell("worker", f"Cannot use the connection: {failed}.")
    error = wrong_row(engine)
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
    by_driver=True,
    affected_control="fork_nodispose",
    survives_control="fork_dispose",
)
