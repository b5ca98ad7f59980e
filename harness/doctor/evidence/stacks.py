"""Where threads are, by `py-spy dump`: the only evidence for which a process is stopped, for milliseconds."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LIBRARY = re.compile(r"/lib/python[\d.]+/|/site-packages/|/dist-packages/|^<")
"""Files that are not the user's."""

FORKED = re.compile(r"multiprocessing/popen_fork\.py$|/gunicorn/arbiter\.py$|/billiard/popen_fork\.py$")
"""The files that call `os.fork`; the frames that called them are the parent's."""

SECONDS = 20


@dataclass(frozen=True)
class Frame:
    """A call in a stack."""

    function: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """The place in a few words: `tasks.py:15 ask`."""
        return f"{Path(self.file).name}:{self.line} {self.function}"


@dataclass(frozen=True)
class Stack:
    """The stack of a thread, innermost frame first."""

    thread: str
    frames: tuple[Frame, ...]
    main: bool

    def ends_with(self, file: str, *functions: str) -> bool:
        """Whether one of the three innermost frames is one of these functions in that file."""
        return any(
            frame.file.endswith(file) and (not functions or frame.function.rpartition(".")[2] in functions)
            for frame in self.frames[:3]
        )

    @property
    def here(self) -> Frame | None:
        """The innermost frame of the user's own code."""
        return next((frame for frame in self.frames if not LIBRARY.search(frame.file)), None)

    @property
    def fork(self) -> Frame | None:
        """The line of the parent's code that forked this process; None if it is not in the stack."""
        for number, frame in enumerate(self.frames):
            if FORKED.search(frame.file):
                outer = self.frames[number + 1 :]
                return next((frame for frame in outer if not LIBRARY.search(frame.file)), None)
        return None


def command() -> str:
    """The path of py-spy; empty if it is not installed."""
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else shutil.which("py-spy") or ""


def dump(pid: int) -> tuple[Stack, ...] | str:
    """The stacks of a process, or why there are none. py-spy stops the process while it reads."""
    try:
        done = subprocess.run(
            [command(), "dump", "--json", "--pid", str(pid)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"py-spy: exit status {done.returncode}"
    return tuple(map(_stack, json.loads(done.stdout)))


def _stack(thread: dict[str, object]) -> Stack:
    frames = thread["frames"]
    assert isinstance(frames, Sequence)
    return Stack(
        str(thread.get("thread_name") or thread.get("thread_id")),
        tuple(Frame(frame["name"], frame["filename"], frame["line"]) for frame in frames),
        thread.get("thread_name") == "MainThread",
    )
