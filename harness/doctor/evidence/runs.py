"""Whether a process has run between two readings, and in which calls its threads wait.

The kernel counts how often each thread was put on a processor (the third number of `schedstat`). A thread
that was asleep, and whose number is the same later, has not run in between, not even if it is ready to.
"""

import contextlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from harness.doctor.evidence import waits
from harness.doctor.evidence.waits import Wait

ENDED = "ended"

UNCOUNTED = "0"
"""The third number of `schedstat` of a thread that has never run, or where the kernel does not count."""


@dataclass(frozen=True)
class RunReading:
    """What was read of a process at one moment."""

    runs: str
    """Text that changes whenever a thread has run; `ENDED` if the process has ended, reaped or not."""
    asleep: bool
    """Whether no thread can have been on a processor."""

    @property
    def ended(self) -> bool:
        return self.runs == ENDED

    def ran_until(self, later: "RunReading") -> bool:
        """Whether the process can have run between this reading and a later one."""
        return not self.asleep or self.runs != later.runs


class _Thread:
    """A thread, whose files stay open."""

    def __init__(self, pid: int, number: int, folder: int) -> None:
        self.text = ""
        """Of `schedstat`, at the last reading; `ENDED` if the thread has ended."""
        self.asleep = False
        """Whether it was seen asleep since then."""
        self.calling = False
        """Whether it is asleep in a system call, and so has not ended."""
        self.wait: Wait | None = None
        """The call in which it is asleep, if that is one of those that `waits` knows."""
        self._pid, self._number = pid, number
        # Below the open folder, as another process may have the pid by now.
        self._schedstat = os.open(f"{number}/schedstat", os.O_RDONLY, dir_fd=folder)
        self._stat = os.open(f"{number}/stat", os.O_RDONLY, dir_fd=folder)
        self._syscall = -1
        with contextlib.suppress(OSError):
            self._syscall = os.open(f"{number}/syscall", os.O_RDONLY, dir_fd=folder)

    def run(self) -> bool:
        """Whether it has run since the last reading."""
        text = self._counts()
        if text == self.text:
            return False
        self.text, self.asleep, self.calling, self.wait = text, False, False, None
        return True

    def _counts(self) -> str:
        try:
            return os.pread(self._schedstat, 80, 0).decode().strip()
        except OSError:
            return ENDED

    def look(self) -> None:
        """Find out whether it is asleep, and in which call."""
        if self.text.rpartition(" ")[2] == UNCOUNTED:
            return
        if self._syscall >= 0:
            try:
                line = os.pread(self._syscall, 200, 0).decode()
            except OSError:
                # ptrace(2) is not allowed, or the thread has ended.
                os.close(self._syscall)
                self._syscall = -1
            else:
                self.asleep = not line.startswith("running")
                self.calling = self.asleep and not line.startswith("-1")
                with contextlib.suppress(OSError, struct.error):
                    self.wait = waits.parsed(self._pid, self._number, line)
                if self.wait and self._counts() != self.text:
                    # It went on, and what was read of its memory may be of something else.
                    self.wait = None
                return
        self.asleep = self.state() != "R"

    def state(self) -> str:
        """One letter, as proc(5) describes it; `X` if it has been reaped."""
        try:
            return os.pread(self._stat, 500, 0).decode(errors="replace").rpartition(")")[2].split()[0]
        except OSError:
            return "X"

    def close(self) -> None:
        for file in (self._schedstat, self._stat, self._syscall):
            if file >= 0:
                os.close(file)


class Runs:
    """Reads a process again and again: while it is idle, by one system call for each of its threads."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._threads: dict[int, _Thread] = {}
        self._folder = -1
        with contextlib.suppress(OSError):
            self._folder = os.open(f"/proc/{pid}/task", os.O_RDONLY | os.O_DIRECTORY)
        self._last = RunReading("", False)

    def read(self) -> RunReading:
        """What is to be seen of the process now."""
        ran = [thread.run() for thread in self._threads.values()]
        # A thread is made by another one of its process: as long as none has run, there is no new one.
        if any(ran) or not ran:
            self._renew()
        elif self._last.asleep:
            return self._last
        for thread in self._threads.values():
            if not thread.asleep:
                thread.look()
        self._last = self._reading()
        return self._last

    def waits(self) -> Iterator[Wait]:
        """Those of its threads that were asleep at the last reading, as far as they can be read."""
        for thread in self._threads.values():
            if thread.wait:
                yield thread.wait

    def __len__(self) -> int:
        """How many threads it had at the last reading."""
        return len(self._threads)

    def close(self) -> None:
        for thread in self._threads.values():
            thread.close()
        self._threads.clear()
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def _renew(self) -> None:
        """Open the files of new threads, and close those of threads that have ended."""
        numbers: set[int] = set()
        with contextlib.suppress(OSError):
            # Two links, and one for each thread: much cheaper than to list them.
            if os.fstat(self._folder).st_nlink == 2 + len(self._threads) and not any(
                thread.text == ENDED for thread in self._threads.values()
            ):
                return
            numbers = {int(name) for name in os.listdir(self._folder)}
        for number in self._threads.keys() - numbers:
            self._threads.pop(number).close()
        for number in numbers - self._threads.keys():
            with contextlib.suppress(OSError):
                self._threads[number] = _Thread(self.pid, number, self._folder)
                self._threads[number].run()

    def _reading(self) -> RunReading:
        if not any(thread.calling or thread.state() not in "ZX" for thread in self._threads.values()):
            return RunReading(ENDED, True)
        return RunReading(
            " ".join(f"{number}:{thread.text}" for number, thread in self._threads.items()),
            all(thread.asleep for thread in self._threads.values()),
        )
