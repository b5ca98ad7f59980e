"""5. Two processes read from one socket: neither gets its message.

The parent, A, expects `Hello`; the worker, B, expects `World`. A server sends both, in three pieces, and
the next piece only when the last one has been read. Then the same happens over PostgreSQL's protocol, where
the pieces are parts of one large value and the readers are two copies of libpq.
"""

import fcntl
import multiprocessing
import select
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any

from sqlalchemy import create_engine, pool
from sqlalchemy.exc import DBAPIError

from harness.demos.helpers import options, postgresql, tell
from harness.hazards.all.torn_message import BEGUN, LARGE


def read(reader: socket.socket) -> str:
    """Read once from the socket, as libpq does."""
    return reader.recv(100).decode()


def b(reader: socket.socket, channel: Any) -> None:
    """The worker: reads once, when the parent says so."""
    channel.recv()
    channel.send(read(reader))


def on_a_socket(context: Any, cured: bool) -> None:
    server, ours = socket.socketpair()
    # Cured, B has a connection of its own. A forked worker still inherits ours, and does not use it.
    b_server, b_reader = socket.socketpair() if cured else (server, ours)
    channel, theirs = context.Pipe()
    worker = context.Process(target=b, args=(b_reader, theirs))
    worker.start()
    if cured:
        server.send(b"Hello")
        b_server.send(b"World")
        tell("server", "Sends Hello to A and World to B.")
        tell("parent", f"A expects Hello and receives {read(ours)}.")
        channel.send("look")
        tell("worker", f"B expects World and receives {channel.recv()}.")
    else:
        tell("server", "Sends Hello for A and World for B to the socket that both read, in three pieces.")
        server.send(b"Hel")
        tell("parent", f"A expects Hello and receives {read(ours)}.")
        server.send(b"loWor")
        channel.send("look")
        tell("worker", f"B expects World and receives {channel.recv()}.")
        server.send(b"ld")
        tell("parent", f"A receives {read(ours)}.")
    worker.join()


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


def b_asks(url: str, engine: Any, channel: Any) -> None:
    """The worker: asks for a large value, and stops in the middle of reading it."""
    from psycopg2.extensions import set_wait_callback

    def reading(taken: int) -> None:
        tell("worker", "Asked PostgreSQL for a value of 30 million letters, and has read the first of them.")
        channel.send("reading")
        channel.recv()

    engine = engine or create_engine(url)
    set_wait_callback(stop_part_way(reading))
    with engine.connect() as connection:
        connection.exec_driver_sql(LARGE)


def on_postgresql(context: Any, start_method: str, cured: bool) -> None:
    url = postgresql()
    engine = create_engine(url, poolclass=pool.QueuePool)
    with engine.connect() as connection:
        connection.exec_driver_sql("select 1")
    # An engine cannot be sent to another program, and so nothing is shared under spawn and forkserver.
    shared = start_method == "fork" and not cured
    channel, theirs = context.Pipe()
    worker = context.Process(target=b_asks, args=(url, engine if shared else None, theirs))
    worker.start()
    channel.recv()
    try:
        with engine.connect() as connection:
            answer = connection.exec_driver_sql("select 'A'").scalar()
        tell("parent", f"Asks PostgreSQL for 'A', and reads {answer}.")
    except DBAPIError as error:
        tell("parent", f"Asks PostgreSQL for 'A', and fails: {error.orig}")
    worker.kill()
    worker.join()


if __name__ == "__main__":
    arguments = options()
    context = multiprocessing.get_context(arguments.start_method)
    on_a_socket(context, arguments.cured)
    on_postgresql(context, arguments.start_method, arguments.cured)
