"""Programs that read lines from standard input, and answer with lines of JSON."""

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from harness.processes.child import Child
from harness.processes.errors import ProcessFailed, ProcessHung
from harness.processes.supervision import Supervision


def failure(what: str, reason: str) -> ProcessFailed:
    return ProcessFailed(f"{what} failed: {reason}")


class Dialogue:
    """A running program that answers; a context manager that ends it.

    `what` begins its error messages. `error` makes the error for a failure, from `what` and the last line of
    the program's standard error. `options` are those of `Child`.
    """

    def __init__(
        self,
        supervision: Supervision,
        command: Sequence[str | Path],
        what: str,
        *,
        error: Callable[[str, str], ProcessFailed] = failure,
        **options: Any,
    ) -> None:
        self._what, self._error = what, error
        self.child = Child(
            supervision, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **options
        )
        self._death = os.pidfd_open(self.child.process.pid)

    def __enter__(self) -> "Dialogue":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program with all processes that it started."""
        os.close(self._death)
        self.child.close()

    def say(self, line: str) -> None:
        """Send a line. Raises `ProcessFailed` if the program has ended."""
        stdin = self.child.process.stdin
        assert stdin is not None
        try:
            stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise self._error(self._what, self.child.last_error()) from None

    def answer(self, deadline: float) -> Any:
        """The next line. Raises `ProcessHung` without one in time, and `ProcessFailed` at its end."""
        stdout, until = self.child.process.stdout, time.monotonic() + deadline
        assert stdout is not None
        output, answer = stdout.fileno(), b""
        while not answer.endswith(b"\n"):
            # A hung child of the program holds a copy of the pipe, which then does not end with the program.
            ready = select.select([output, self._death], [], [], max(0, until - time.monotonic()))[0]
            if not ready:
                raise ProcessHung(f"{self._what} hung: no answer in {deadline:g} s, so it was killed")
            piece = os.read(output, 65536) if output in ready else b""
            if not piece:
                raise self._error(self._what, self.child.last_error())
            answer += piece
        return json.loads(answer)

    def ask(self, order: object, deadline: float) -> Any:
        """The answer to an order, which JSON can hold."""
        self.say(json.dumps(order))
        return self.answer(deadline)
