"""Programs that are started to be measured: their directory, environment and standard error."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.processes.errors import ProcessFailed, ProcessHung
from harness.processes.supervision import Supervision
from harness.system.environment import environment

EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit)\b")
"""The beginning of the last line of a traceback."""


class Child:
    """A running program, which leads a session and a process group of its own.

    Its standard output and standard error are files in its directory unless `options` of `subprocess.Popen`
    say otherwise: a hung worker keeps its copy of a pipe open, and the reader would wait for it. The
    directory is its TMPDIR as well, because multiprocessing leaves sockets there if it is killed.
    """

    def __init__(
        self,
        supervision: Supervision,
        command: Sequence[str | Path],
        *,
        name: str = "program",
        directory: Path | None = None,
        importable: Sequence[Path] = (),
        variables: Mapping[str, str] = MappingProxyType({}),
        **options: Any,
    ) -> None:
        """Start `command`. Raises OSError if it cannot be run.

        `directory` is a new one by default, and the files in it begin with `name`. `importable` are further
        folders to import from, and `variables` are added to the environment.
        """
        self._supervision = supervision
        self.directory = directory or supervision.directory()
        self.output = self.directory / f"{name}.out"
        self.errors = self.directory / f"{name}.err"
        with ExitStack() as files:
            for stream, path in (("stdout", self.output), ("stderr", self.errors)):
                if stream not in options:
                    options[stream] = files.enter_context(path.open("ab"))
            options = {"stdin": subprocess.DEVNULL, "cwd": "/", **options}
            variables = {**environment(*importable), "TMPDIR": str(self.directory), **variables}
            self.process = supervision.start(command, env=variables, **options)

    def wait(self, deadline: float, what: str, remedy: str = "") -> None:
        """Wait for its end, then end the rest of its process group.

        Raises `ProcessHung` if it has not ended after `deadline` seconds, and `ProcessFailed` with the last
        error it printed if its exit status is not 0. `what` begins the message.
        """
        try:
            self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise ProcessHung(
                f"{what} hung: not done after {deadline:g} s, so it was killed", remedy
            ) from None
        finally:
            self._supervision.stop(self.process)
        if self.process.returncode != 0:
            raise ProcessFailed(f"{what} failed: {self.last_error()}", remedy)

    def last_error(self) -> str:
        """The line of its standard error that names the problem."""
        text = self.errors.read_text(errors="replace")
        status = self.process.poll()
        return last_error(text, "no error message" if status is None else f"exit status {status}")

    def close(self) -> None:
        """End it with all processes that it started, and remove its directory."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self._supervision.stop(self.process)
        self._supervision.remove(self.directory)


def last_error(text: str, silent: str = "no error message") -> str:
    """The last exception in what a program printed, else the last line; `silent` if there is none."""
    lines = text.strip().splitlines()
    exceptions = [line for line in lines if EXCEPTION.match(line)]
    return (exceptions or lines or [silent])[-1]


def run_program(
    what: str,
    module: str,
    orders: Sequence[str],
    deadline: float,
    *,
    python: str | Path = sys.executable,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Run a module with a line of standard input for each order; returns its reports, a line of JSON each.

    Raises `ProcessHung` if it has not ended after `deadline` seconds, and `ProcessFailed` if it fails. `what`
    begins the message; `variables` are added to its environment.
    """
    with Supervision() as supervision:
        directory = supervision.directory()
        file = directory / "orders"
        file.write_text("".join(f"{order}\n" for order in orders))
        with file.open("rb") as stdin:
            child = Child(
                supervision, [python, "-m", module], directory=directory, variables=variables, stdin=stdin
            )
        child.wait(deadline, f"{what}: the parent")
        return [json.loads(line) for line in child.output.read_text().splitlines()]
