"""What the command line's tests share: the session's server, a quick profile, and terminals of any width."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable

import pytest

from harness.lifecycles import profile
from harness.postgres import locate
from harness.postgres.server import Server

MAIN = "from harness.cli import main; main()"


@pytest.fixture
def quick(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server that is there already, and as little to measure as exercises everything."""
    monkeypatch.setenv(locate.RUN, server.to_json())
    monkeypatch.setenv(profile.PROFILE, "quick")
    monkeypatch.setenv(profile.DATAFRAME, "16")
    return server


Run = Callable[..., "subprocess.CompletedProcess[str]"]


def piped(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command with its output in pipes."""
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        env={**without_columns(), **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def in_terminal(width: int, *arguments: str, **environment: str) -> str:
    """What the command shows in a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, *arguments],
        env={**without_columns(), "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        told = b""
        try:
            while piece := os.read(ours, 65536):
                told += piece
        except OSError:
            pass  # how a terminal says that nobody writes to it any more
        finally:
            os.close(ours)
        process.wait(300)
    return told.decode().replace("\r\n", "\n")


def without_columns() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
