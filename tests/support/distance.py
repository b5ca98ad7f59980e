"""A server that is far away: a proxy on loopback that holds back what it passes on."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from harness.postgres.server import Server
from harness.postgres.url import parameters, render


@contextmanager
def far_away(server: Server, seconds: float) -> Iterator[str]:
    """A context with a URL by which the server's answers arrive `seconds` later."""
    behind = parameters(server.url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, behind, seconds), daemon=True).start()
        yield render({**behind, "port": str(listener.getsockname()[1])})
        # Wakes `accept`, which closing the socket does not.
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, behind: dict[str, str], seconds: float) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection((behind["host"], int(behind["port"])))
            for source, sink, delay in ((client, server, 0.0), (server, client, seconds)):
                threading.Thread(target=_pass_on, args=(source, sink, delay), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket, delay: float) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            time.sleep(delay)
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
