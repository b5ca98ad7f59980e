"""Starts a program that serves HTTP, and asks it without end."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence

from common import ready

TRIES = 300


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def serve(command: Sequence[str], port: int, **environment: str) -> None:
    """Start the command; ask it without end, from another process, once it has answered."""
    # Its own interpreter's programs, of which the user may have others.
    path = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    variables = {**os.environ, "PATH": path, **environment}
    server = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL)
    for _ in range(TRIES):
        if ask(port):
            break
        time.sleep(0.1)
    else:
        sys.exit("no answer")
    ready()
    while server.poll() is None:
        ask(port)
        # On a busy machine the doctor looks rarely: in most of its intervals there should be one request.
        time.sleep(0.2)


def serve_with_gunicorn(name: str) -> None:
    """`serve` the application of the module `name`, which has gunicorn's settings as well."""
    port = free_port()
    settings = os.path.join(os.path.dirname(__file__), f"{name}.py")
    command = ["gunicorn", "--preload", "--config", settings, "--bind", f"127.0.0.1:{port}"]
    serve([*command, "--log-level", "error", f"{name}:app"], port)


def ask(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=20) as answer:
            answer.read()
    except urllib.error.HTTPError:
        return True  # the worker has failed
    except OSError:
        return False
    return True


def work_with(arguments: Sequence[str]) -> None:
    """Run a program of Python with these arguments, whose worker calls `begun`."""
    end, worker = os.pipe()
    program = subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, "VICTIM_READY": f"/proc/{os.getpid()}/fd/{worker}"},
        stdout=subprocess.DEVNULL,
    )
    os.read(end, 1)
    ready()
    sys.exit(program.wait())


def begun() -> None:
    """In the worker: it has queried the database."""
    with open(os.environ["VICTIM_READY"], "w") as file:
        file.write("x")
