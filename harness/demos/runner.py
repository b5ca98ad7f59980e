"""Runs one exhibit as the program it is, to its end or to the moment that shows it has none."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from harness.demos.catalogue import End, Exhibit
from harness.hazards.inside.story import StoryEvent
from harness.postgres import locate
from harness.postgres.server import Server
from harness.system.environment import ROOT, environment
from harness.system.supervision import Custody

SILENCE = 3.0
"""Seconds in which no thread of any of its processes ran or wanted to, after which a program is stuck."""

REPEATS = 5
"""How often a worker tells the very same line before the program is said to run in circles. No exhibit has
as many workers."""

GLANCE = 0.05
"""Seconds between two looks at the processes."""

JOBS = 2
"""Programs at a time, where they are only counted: what they come to does not depend on it."""

GRACE = 5.0
"""Seconds a stuck process has to say where it waits."""


@dataclass(frozen=True)
class Seen:
    """What one run of an exhibit came to."""

    end: End
    story: tuple[StoryEvent, ...]
    errors: str
    """What it wrote to its standard error."""
    seconds: float


def run(
    exhibit: Exhibit,
    start_method: str,
    cured: bool,
    server: Server,
    told: Callable[[StoryEvent], None] = lambda event: None,
    *,
    python: str | Path = sys.executable,
) -> Seen:
    """Run it in a directory and a session of its own; every line of its story goes to `told` as it comes."""
    with Custody() as custody:
        scratch = custody.directory()
        with (scratch / "story").open("ab") as out, (scratch / "errors").open("ab") as err:
            process = custody.start(
                [python, "-m", exhibit.module, "--start-method", start_method]
                + (["--cured"] if cured else []),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=scratch,
                env={
                    **environment(),
                    locate.RUN: server.to_json(),
                    # On SIGABRT each process says where it is; so does each worker, however it was started.
                    "PYTHONFAULTHANDLER": "1",
                    # multiprocessing keeps the fork server's socket there.
                    "TMPDIR": str(scratch),
                },
            )
        try:
            return Watch(exhibit, process, scratch, told).to_its_end()
        finally:
            custody.stop(process)


class Watch:
    """The supervision of one running exhibit."""

    def __init__(
        self,
        exhibit: Exhibit,
        process: "subprocess.Popen[bytes]",
        scratch: Path,
        told: Callable[[StoryEvent], None],
    ) -> None:
        self._exhibit = exhibit
        self._process = process
        self._scratch = scratch
        self._told = told
        self._story: list[StoryEvent] = []
        self._read = 0
        self._began = time.monotonic()

    def to_its_end(self) -> Seen:
        end = self._end()
        self._listen()
        for event in self._last_words(end):
            self._add(event)
        errors = (self._scratch / "errors").read_text(errors="replace")
        return Seen(end, tuple(self._story), errors, time.monotonic() - self._began)

    def _end(self) -> End:
        activity, active_at = "", self._began
        while True:
            code = self._process.poll()
            running = members(self._process.pid)
            self._listen()
            if code is not None and not running:
                return End.FAILED if code else End.DONE
            now = time.monotonic()
            latest = "".join(map(activity_of, running))
            if latest != activity or "running" in latest:
                activity, active_at = latest, now
            if now - active_at > SILENCE:
                return End.STUCK
            if any(count >= REPEATS for count in Counter(self._story).values()):
                return End.CIRCLES
            if now - self._began > self._exhibit.deadline:
                return End.LATE
            time.sleep(GLANCE)

    def _listen(self) -> None:
        """Take the whole lines that have been told since."""
        with (self._scratch / "story").open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            who, _, what = line.strip().partition("  ")
            self._add(StoryEvent(who, what))

    def _add(self, event: StoryEvent) -> None:
        self._story.append(event)
        self._told(event)

    def _last_words(self, end: End) -> list[StoryEvent]:
        match end:
            case End.DONE:
                return [StoryEvent("user", "The program ended by itself.")]
            case End.STUCK:
                return [
                    *self._whereabouts(),
                    StoryEvent(
                        "user", "The program does nothing, prints nothing and never ends; it was killed."
                    ),
                ]
            case End.CIRCLES:
                return [
                    StoryEvent("user", f"It goes on like this for ever: {self._error()} It was killed."),
                ]
            case End.FAILED:
                return [StoryEvent("user", f"The program failed: {self._error()}")]
            case _:
                return [StoryEvent("user", f"Not done after {self._exhibit.deadline:g} s, and ended.")]

    def _error(self) -> str:
        """The last line of a traceback it wrote, with what follows up to an empty line."""
        errors = (self._scratch / "errors").read_text(errors="replace")
        found = re.findall(r"^[A-Za-z_.]+(?:Error|Exception): *\n? *(.+(?:\n +.+)*)", errors, re.MULTILINE)
        return " ".join(found[0].split()) if found else "nothing."

    def _whereabouts(self) -> list[StoryEvent]:
        """Where in the exhibit each stuck process waits, from the stack it writes on SIGABRT."""
        leader = self._process.pid
        # All stop first, workers are asked first: a parent that sees its worker end would make another.
        waiting = sorted(members(leader), key=lambda pid: pid == leader)
        for pid in waiting:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
                os.kill(pid, signal.SIGSTOP)
        found = []
        for pid in waiting:
            place = self._place(pid)
            who = "parent" if pid == leader else "worker"
            # A forked worker without a task has nothing of the exhibit's but the line that forked it.
            if place and not (who == "worker" and place.endswith("<module>")):
                found.append(StoryEvent(who, f"Waits for ever: {self._exhibit.name}.py, {place}."))
        return found

    def _place(self, pid: int) -> str:
        """The innermost line of the exhibit's own that a process is in; it ends by telling."""
        errors = self._scratch / "errors"
        before = errors.stat().st_size
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGABRT)
            os.kill(pid, signal.SIGCONT)
        until = time.monotonic() + GRACE
        while pid in members(self._process.pid) and time.monotonic() < until:
            self._process.poll()
            time.sleep(0.01)
        with errors.open("rb") as file:
            file.seek(before)
            stack = file.read().decode(errors="replace")
        found = re.search(
            rf'^  File "[^"]*{self._exhibit.name}\.py", (line \d+ in \S+)$', stack, re.MULTILINE
        )
        return found[1] if found else ""


def members(leader: int) -> list[int]:
    """The processes of the session of `leader` that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            state, session = fields[0], int(fields[3])
            if session == leader and state not in "ZX":
                found.append(int(entry.name))
    return found


def activity_of(pid: int) -> str:
    """Everything that changes when any thread of a process runs; `running` when one wants to."""
    seen = ""
    # A process, or a thread, may end while it is looked at.
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            text = Path(f"/proc/{pid}/task/{thread}/status").read_text()
            seen += "".join(line for line in text.splitlines() if "ctxt_switches" in line)
            if re.search(r"^State:\s+[RDTt]", text, re.MULTILINE):
                seen += "running"
    return seen


def gist(seen: Seen) -> tuple[StoryEvent, ...]:
    """The story without what differs from run to run: numbers, and who of two was quicker to speak.

    In circles, nor does it matter how often each worker came round before the program was ended.
    """
    lines = {StoryEvent(event.who, re.sub(r"\d+", "N", event.what)) for event in seen.story}
    return tuple(sorted(lines, key=lambda event: (event.who, event.what)))


@dataclass(frozen=True)
class Count:
    """How often one program ended as expected, and told what it always tells."""

    exhibit: Exhibit
    start_method: str
    cured: bool
    runs: int
    agreed: int
    alike: int

    @property
    def surprising(self) -> bool:
        return self.agreed < self.runs or self.alike < self.runs


def count(
    chosen: Sequence[Exhibit],
    methods: Sequence[str],
    runs: int,
    server: Server,
    python: str | Path = sys.executable,
) -> Iterator[Count]:
    """Run each, by each method, as it stands and cured, so many times, `JOBS` at a time."""
    with ThreadPoolExecutor(JOBS) as threads:
        for each, method, cured in product(chosen, methods, (False, True)):
            again = partial(run, each, method, cured, server, python=python)
            running = [threads.submit(again) for _ in range(runs)]
            try:
                ends = Counter((one.end, gist(one)) for one in (one.result() for one in running))
            finally:
                for waiting in running:
                    waiting.cancel()
            agreed = sum(number for (end, _), number in ends.items() if end is each.expected(method, cured))
            yield Count(each, method, cured, runs, agreed, max(ends.values()))


def source(exhibit: Exhibit) -> str:
    """The program itself."""
    return (ROOT / "harness" / "demos" / f"{exhibit.name}.py").read_text()
