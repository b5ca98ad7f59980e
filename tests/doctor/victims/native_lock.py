"""A worker is forked while a thread of its parent holds a lock of the driver's libraries."""

import contextlib
import multiprocessing
import os
import socket
import tempfile
import threading
import time
from pathlib import Path

import psycopg2
from common import BROKEN, ready


def accept(listener: socket.socket) -> None:
    """Say yes to TLS, and nothing more."""
    while True:
        client, _ = listener.accept()
        client.recv(8)
        client.send(b"S")
        client.close()


def connect(port: int) -> None:
    with contextlib.suppress(psycopg2.OperationalError):
        psycopg2.connect(
            host="127.0.0.1", port=port, user="poolstart", sslmode="require", gssencmode="disable"
        )


def work(port: int) -> None:
    ready()
    connect(port)
    time.sleep(600)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    with tempfile.TemporaryDirectory() as directory:
        # OpenSSL reads it while libpq holds its lock: as long as there is nothing to read.
        configuration = os.path.join(directory, "openssl.cnf")
        os.mkfifo(configuration)
        os.environ["OPENSSL_CONF"] = configuration
        thread = threading.Thread(target=connect, args=(port,), daemon=True)
        thread.start()
        while "wait_for_partner" not in Path(f"/proc/self/task/{thread.native_id}/wchan").read_text():
            time.sleep(0.02)
        del os.environ["OPENSSL_CONF"]
        multiprocessing.get_context("fork" if BROKEN else "spawn").Process(target=work, args=(port,)).start()
        with open(configuration, "w"):
            pass
    time.sleep(600)
