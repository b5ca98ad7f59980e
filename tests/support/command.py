"""The command line, run as users run it: the installed program, in pipes or in a terminal."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

POOLSTART = Path(sys.executable).with_name("poolstart")


def poolstart(
    *arguments: str, timeout: float = 300, cwd: Path | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command with its output in pipes and nothing on standard input."""
    return subprocess.run(
        [POOLSTART, *arguments],
        cwd=cwd,
        env={**_without_terminal_settings(), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def in_terminal(width: int, *arguments: str, **environment: str) -> str:
    """Run the command in a terminal of `width` columns; return what it writes to it, colours included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with subprocess.Popen(
        [POOLSTART, *arguments],
        env={**_without_terminal_settings(), "TERM": "xterm", **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        output = b""
        try:
            while piece := os.read(ours, 65536):
                output += piece
        except OSError:
            pass  # A terminal whose other end is closed raises instead of returning nothing.
        finally:
            os.close(ours)
        process.wait(300)
    return output.decode().replace("\r\n", "\n")


def _without_terminal_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
