"""A relay on loopback between a client and its PostgreSQL server, which records what the client sends.

A statement is counted for each message that executes one. A round trip is counted for each message of the
client that follows one of the server, because the client has waited for the network both ways, and for
opening a TCP connection. Each event is recorded with `time.monotonic_ns()` before it is passed on. All
processes of a Linux machine share that clock, so the client's timestamps assign events to phases. Encryption
would hide the messages, so the client's URL disables it; on an encrypted connection only round trips are
recorded.
"""

import asyncio
import contextlib
import selectors
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType

from harness.drivers import MEASURED, Driver
from harness.postgres.server import Server
from harness.postgres.url import parameters, render

CONNECT, TURN, STATEMENT = "connect", "turn", "statement"

QUERY, EXECUTE, TERMINATE = b"Q", b"E", b"X"
"""Message types: a simple query, an execution in the extended protocol, and a termination without an answer.

Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

PARSE = b"P"

ENCRYPTION_REQUESTS = struct.pack("!I", 80877103), struct.pack("!I", 80877104)
"""The bodies of SSLRequest and GSSENCRequest, with which some drivers begin although the URL asks for no
encryption; the message after them has no type byte either.
"""

SSLMODE = "sslmode"

DEADLINE = 10.0
"""Seconds for the server to accept a connection, and for the relay to start and to stop."""


@dataclass(frozen=True)
class WireEvent:
    """A connection, a round trip or a statement."""

    at: int
    """`time.monotonic_ns()`."""
    kind: str
    """`CONNECT`, `TURN` or `STATEMENT`."""
    text: str = ""
    """The text of a statement."""


class Conversation:
    """The messages of one client connection, assembled from the pieces in which they arrive."""

    def __init__(self, events: list[WireEvent]) -> None:
        self._events = events
        self._connected = False
        self._begun = False
        self._waits = False
        self._rest = b""
        self._parsed = ""

    def client_sent(self, piece: bytes) -> None:
        """Add a piece of the client's stream, and record the messages that it completes."""
        now = time.monotonic_ns()
        self._rest += piece
        while True:
            # The first message of a connection has no type byte.
            header = 4 if not self._begun else 5
            if len(self._rest) < header:
                return
            (length,) = struct.unpack("!I", self._rest[header - 4 : header])
            end = header - 4 + length
            if len(self._rest) < end:
                return
            kind, body, self._rest = self._rest[: header - 4], self._rest[header:end], self._rest[end:]
            self._message(now, kind, body)

    def server_sent(self) -> None:
        """Note that the server has sent something: the client's next message begins a round trip."""
        self._waits = False

    def _message(self, now: int, kind: bytes, body: bytes) -> None:
        if not self._connected:
            self._connected = True
            self._events.append(WireEvent(now, CONNECT))
        self._begun = self._begun or body not in ENCRYPTION_REQUESTS
        if kind == TERMINATE:
            return
        if not self._waits:
            self._waits = True
            self._events.append(WireEvent(now, TURN))
        if kind == QUERY:
            self._events.append(WireEvent(now, STATEMENT, text(body)))
        elif kind == PARSE:
            self._parsed = text(body.partition(b"\0")[2])
        elif kind == EXECUTE:
            self._events.append(WireEvent(now, STATEMENT, self._parsed))


class EncryptedConversation(Conversation):
    """The round trips of an encrypted connection: whatever the client sends after the server has sent
    something."""

    def client_sent(self, piece: bytes) -> None:
        self._message(time.monotonic_ns(), b"", b"")


def text(body: bytes) -> str:
    """The zero-terminated string at the beginning of a message's body."""
    return body.partition(b"\0")[0].decode(errors="replace")


class Relay:
    """A context in which a relay to a server listens on a port of 127.0.0.1.

    `distance` is the round-trip time that it adds, in seconds. A sleep ends up to a millisecond late, so for
    the last `awake` seconds of each direction the relay does not sleep, which occupies a core. With
    `encrypted` the client's URL keeps the encryption of the server's URL. Entering the context raises
    TimeoutError if the relay does not start.
    """

    def __init__(
        self, server: Server, distance: float = 0.0, *, encrypted: bool = False, awake: float = 0.0
    ) -> None:
        connection = server.connect()
        self._host, self._port = connection.info.host, connection.info.port
        connection.close()
        self._server = server
        self._way = distance / 2
        self._awake = awake
        self._events: list[WireEvent] = []
        self._encrypted = encrypted
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Relay":
        self._thread.start()
        if not self._ready.wait(DEADLINE):
            raise TimeoutError(f"the relay did not start in {DEADLINE:g} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(DEADLINE)

    def sqlalchemy_url(self, application_name: str, driver: Driver = MEASURED) -> str:
        """The URL of `server`, for `create_engine`."""
        server = self.server
        if not driver.libpq and SSLMODE not in driver.renamed:
            # Drivers without this parameter do not encrypt by default.
            named = parameters(server.url)
            named.pop(SSLMODE, None)
            server = replace(server, url=render(named))
        return server.sqlalchemy_url(application_name, driver)

    @property
    def server(self) -> Server:
        """The server, at the relay's address."""
        found = {**parameters(self._server.url), "host": "127.0.0.1", "port": str(self.port)}
        found.pop("hostaddr", None)
        if not self._encrypted:
            found[SSLMODE] = "disable"
        return replace(self._server, url=render(found))

    def between(self, first: int, last: int) -> list[WireEvent]:
        """The events between two moments of `time.monotonic_ns()`."""
        return [event for event in self._events if first < event.at < last]

    def _run(self) -> None:
        # asyncio would choose epoll, which waits in whole milliseconds.
        with asyncio.Runner(
            loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
        ) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        listening = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = listening.sockets[0].getsockname()[1]
        self._ready.set()
        async with listening:
            await self._end.wait()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = (EncryptedConversation if self._encrypted else Conversation)(self._events)
        if self._host.startswith("/"):
            opened = asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        else:
            opened = asyncio.open_connection(self._host, self._port)
        try:
            there, onwards = await asyncio.wait_for(opened, DEADLINE)
        except OSError:
            writer.close()
            return
        # asyncio's streams report a cancelled connection, and those still open at the end are cancelled.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                # The kernel accepts the client at once; over a real distance this takes a round trip.
                self._pump(reader, onwards, conversation.client_sent, late=2 * self._way),
                self._pump(there, writer, lambda _: conversation.server_sent()),
            )

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        note: Callable[[bytes], None],
        late: float = 0.0,
    ) -> None:
        """Pass on one direction, each piece after half the round-trip time, the first `late` s later."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, piece = await pieces.get()
                if (way := due - self._awake - self._loop.time()) > 0:
                    await asyncio.sleep(way)
                while self._awake and self._loop.time() < due:
                    await asyncio.sleep(0)
                if not piece:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()

        arriving = asyncio.create_task(arrive())
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                note(piece)
                pieces.put_nowait((self._loop.time() + self._way + late, piece))
                late = 0.0
        pieces.put_nowait((self._loop.time() + self._way, b""))
        with contextlib.suppress(OSError):
            await arriving
