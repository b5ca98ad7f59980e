"""The parent's handle of a worker: its answers, its end, and whether it hangs."""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import os
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.hazards.inside import worker
from harness.processes.activity import IdleTimer
from harness.processes.wait import wait_until

START_DEADLINE = 30.0
"""Seconds for a worker to start or to end: an interpreter may have to boot."""

ANSWER_DEADLINE = 20.0
"""Seconds for a worker to answer, even if it is busy: two processes that garble one connection may keep each
other busy forever."""

SILENCE = 1.0
"""Seconds without an answer and without running after which a worker counts as hung."""

SILENCE_BEFORE_READY = 3
"""Factor on `SILENCE` for a worker that has not reached its first line yet."""

LIBRARY = re.compile(r"^.*/(?:site-packages|python3\.\d+)/")
"""The folder of an installed package, or of the standard library."""

INNERMOST = re.compile(r'^  File "(?P<path>[^"]+)", (?P<place>line .+)\n', re.MULTILINE)
"""The innermost frame of a stack as faulthandler writes it."""

OUTERMOST = (" in <module>\n", " in _run_module_as_main\n", " in _bootstrap\n")
"""Ends of the outermost frame's line, for a script, a program run by `python -m` and a thread."""


class Hung(Exception):
    """The worker waits for something that will never happen; the text says where in its code."""

    def __init__(self, whereabouts: str, stack: str = "") -> None:
        super().__init__(whereabouts)
        self._stack = stack

    def inside(self, file: str) -> bool:
        """Whether the waiting stack has a function of a file whose path ends with `file`."""
        return f'{file}"' in self._stack


class Failed(Exception):
    """The worker raised an exception; the text is its message."""


class Ended(Exception):
    """The worker ended without an answer; the text is its exit status."""


class WorkerHandle:
    """The parent's view of one worker."""

    def __init__(
        self,
        process: Any,
        pipe: multiprocessing.connection.Connection[Any, Any],
        scratch: Path,
        silence: float,
    ) -> None:
        self.process = process
        self._pipe = pipe
        self._scratch = scratch
        self._silence = silence
        self._ready = False
        self._idle = IdleTimer()
        self._asked_at = time.monotonic()

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    def settled(self) -> bool:
        """Whether an answer has arrived or never will. Raises `Failed` or `Ended` if it did not start."""
        now = time.monotonic()
        if self._pipe.poll():
            if self._ready:
                return True
            self._receive("ready")
            self._ready, self._asked_at = True, now
        silence = self._silence * (1 if self._ready else SILENCE_BEFORE_READY)
        deadline = self._asked_at + (ANSWER_DEADLINE if self._ready else START_DEADLINE)
        return self._idle.seconds([self.pid]) > silence or now > deadline

    def answer(self) -> Any:
        """Wait for the worker's next report, or for the result of its task.

        Raises `Failed` if the task raised, `Ended` if the worker ended without an answer, and `Hung` if it
        neither answered nor ran for `SILENCE` seconds (see `harness.processes.activity`).
        """
        settle([self])
        if not self._pipe.poll():
            raise self._hung()
        value = self._receive("answer")
        self._idle.restart()
        self._asked_at = time.monotonic()
        return value

    def hang(self, *files: str) -> Hung | None:
        """Wait until the worker answers or hangs. Returns the hang, or None if it answers.

        Raises `RuntimeError` if it hangs in none of these files, and the same errors as `answer`.
        """
        try:
            self.answer()
        except Hung as hung:
            if files and not any(map(hung.inside, files)):
                raise RuntimeError(f"the worker hangs, but not in {files[0]}: {hung}") from None
            return hung
        return None

    def say(self, word: str = "") -> None:
        """Let the worker continue: its `Worker.wait` returns."""
        self._pipe.send(word)

    def kill(self) -> None:
        """Kill the worker and wait for its end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.process.join()

    def join(self) -> None:
        """Wait until the worker has ended by itself. Raises `Hung` after `START_DEADLINE` seconds."""
        self.process.join(START_DEADLINE)
        if self.process.is_alive():
            raise self._hung()

    def _receive(self, expected: str) -> Any:
        try:
            kind, value = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            raise Ended(f"exit status {self.process.exitcode}") from None
        if kind == "error":
            raise Failed(value)
        if kind != expected:
            raise RuntimeError(f"the worker said {kind!r} where {expected!r} was due")
        return value

    def _hung(self) -> Hung:
        """The error with the worker's innermost function, from the stack it writes on SIGUSR1."""
        if not self._ready:
            return Hung("before its first line")
        file = worker.stack_file(self._scratch, self.pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        # The worker may still be writing the file: wait for the whole stack.
        stack = wait_until(
            lambda: file.read_text() if file.exists() else "", 2, accept=lambda text: text.endswith(OUTERMOST)
        )
        innermost = INNERMOST.search(stack)
        if not innermost:
            return Hung("an unknown place")
        return Hung(f"{shown_file(innermost['path'])}, {innermost['place']}", stack)


def shown_file(path: str) -> str:
    """A file as `py-spy dump` shows it: relative to the folder of its package, or else only its name."""
    return LIBRARY.split(path)[-1] if LIBRARY.search(path) else Path(path).name


def settle(workers: Sequence[WorkerHandle]) -> None:
    """Wait until every worker has answered or hangs; it waits for all at once, so hangs do not add up."""
    waiting = list(workers)
    while waiting := [worker for worker in waiting if not worker.settled()]:
        time.sleep(0.01)
