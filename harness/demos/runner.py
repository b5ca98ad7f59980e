"""Run one demo as a program, until it ends or until it is clear that it never will."""

import os
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.demos.catalogue import Demo, End
from harness.hazards.inside.story import StoryEvent
from harness.postgres import locate
from harness.postgres.server import Server
from harness.processes import proc
from harness.processes.activity import IdleTimer
from harness.processes.child import Child
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system.environment import ROOT

IDLE_S = 3.0
"""Seconds in which none of its processes runs, after which a program counts as hung."""

LOOP_REPEATS = 5
"""Repetitions of a line after which the program counts as looping; no demo has that many workers."""

POLL_S = 0.05
"""Seconds between two looks at the processes."""

STACK_S = 5.0
"""Seconds a hung process has to write its stack."""


@dataclass(frozen=True)
class DemoRun:
    """The result of one run of a demo."""

    end: End
    story: tuple[StoryEvent, ...]
    errors: str
    """Its standard error."""
    seconds: float


def run(
    demo: Demo,
    start_method: str,
    cured: bool,
    server: Server,
    on_event: Callable[[StoryEvent], None] = lambda event: None,
    *,
    python: str | Path = sys.executable,
) -> DemoRun:
    """Run a demo in a directory and a session of its own, and kill what is left of it at the end.

    `on_event` is called with every line of its story as soon as it is printed.
    """
    with Supervision() as supervision:
        directory = supervision.directory()
        child = Child(
            supervision,
            [python, "-m", demo.module, "--start-method", start_method] + (["--cured"] if cured else []),
            directory=directory,
            # On SIGABRT each process writes its stack, workers of every start method included.
            variables={locate.RUN: server.to_json(), "PYTHONFAULTHANDLER": "1"},
            cwd=directory,
        )
        try:
            return RunningDemo(demo, child, on_event).wait()
        finally:
            supervision.stop(child.process)


class RunningDemo:
    """A demo that is running: its processes, and the story read so far."""

    def __init__(
        self,
        demo: Demo,
        child: Child,
        on_event: Callable[[StoryEvent], None],
    ) -> None:
        self._demo = demo
        self._child = child
        self._on_event = on_event
        self._story: list[StoryEvent] = []
        self._story_offset = 0
        self._began = time.monotonic()

    def wait(self) -> DemoRun:
        """Wait for the end of the demo, or until it hangs, loops or exceeds its deadline."""
        end = self._end()
        self._read_story()
        for event in self._last_events(end):
            self._add(event)
        errors = self._child.errors.read_text(errors="replace")
        return DemoRun(end, tuple(self._story), errors, time.monotonic() - self._began)

    def _end(self) -> End:
        idle = IdleTimer()
        while True:
            code = self._child.process.poll()
            running = proc.session_members(self._child.process.pid)
            self._read_story()
            if code is not None and not running:
                return End.FAILED if code else End.DONE
            if idle.seconds(running) > IDLE_S:
                return End.HUNG
            if any(count >= LOOP_REPEATS for count in Counter(self._story).values()):
                return End.LOOPED
            if time.monotonic() - self._began > self._demo.deadline:
                return End.TIMED_OUT
            time.sleep(POLL_S)

    def _read_story(self) -> None:
        """Read the whole lines that were printed since the last time."""
        with self._child.output.open("rb") as file:
            file.seek(self._story_offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._story_offset += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            who, _, what = line.strip().partition("  ")
            self._add(StoryEvent(who, what))

    def _add(self, event: StoryEvent) -> None:
        self._story.append(event)
        self._on_event(event)

    def _last_events(self, end: End) -> list[StoryEvent]:
        match end:
            case End.DONE:
                return [StoryEvent("user", "The program ended by itself.")]
            case End.HUNG:
                return [
                    *self._stacks(),
                    StoryEvent(
                        "user", "The program does nothing, prints nothing and never ends; it was killed."
                    ),
                ]
            case End.LOOPED:
                return [StoryEvent("user", f"It goes on like this for ever: {self._error()} It was killed.")]
            case End.FAILED:
                return [StoryEvent("user", f"The program failed: {self._error()}")]
            case _:
                return [StoryEvent("user", f"Not done after {self._demo.deadline:g} s; it was killed.")]

    def _error(self) -> str:
        """The message of the first exception in its standard error, up to an empty line."""
        errors = self._child.errors.read_text(errors="replace")
        messages = re.findall(r"^[A-Za-z_.]+(?:Error|Exception): *\n? *(.+(?:\n +.+)*)", errors, re.MULTILINE)
        return " ".join(messages[0].split()) if messages else "no error message."

    def _stacks(self) -> list[StoryEvent]:
        """The line of the demo at which each hung process waits, from the stack that it writes on SIGABRT."""
        leader = self._child.process.pid
        # All are stopped, then workers end before the parent, which otherwise would start another.
        waiting = sorted(proc.session_members(leader), key=lambda pid: pid == leader)
        for pid in waiting:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
                os.kill(pid, signal.SIGSTOP)
        events = []
        for pid in waiting:
            place = self._innermost_line(pid)
            who = "parent" if pid == leader else "worker"
            # On the stack of a forked worker without a task, the demo has only the line that forked it.
            if place and not (who == "worker" and place.endswith("<module>")):
                events.append(StoryEvent(who, f"Waits for ever: {self._demo.name}.py, {place}."))
        return events

    def _innermost_line(self, pid: int) -> str:
        """End a process; return the innermost line of the demo's own code on its stack, empty if none."""
        errors = self._child.errors
        before = errors.stat().st_size
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGABRT)
            os.kill(pid, signal.SIGCONT)
        wait_until(lambda: not proc.running(pid), STACK_S)
        with errors.open("rb") as file:
            file.seek(before)
            stack = file.read().decode(errors="replace")
        frame = re.search(rf'^  File "[^"]*{self._demo.name}\.py", (line \d+ in \S+)$', stack, re.MULTILINE)
        return frame[1] if frame else ""


def source(demo: Demo) -> str:
    """The text of the program."""
    return (ROOT / "harness" / "demos" / "all" / f"{demo.name}.py").read_text()
