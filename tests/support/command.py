"""The command line, run as users run it: the installed program, in pipes or in a terminal."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.remains import scene

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


def in_terminal(width: int, *arguments: str) -> str:
    """Run the command in a terminal of `width` columns; return what it writes to it, colours included."""
    with scene() as here:
        here.environment = {**_without_terminal_settings(), "TMPDIR": str(here.directory), "TERM": "xterm"}
        shown = here.start_in_terminal(POOLSTART, *arguments, width=width)
        shown.process.wait(300)
        return shown.close()


def _without_terminal_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
