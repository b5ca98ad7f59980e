"""Custody: every process and directory of a run has an owner, and none outlives it.

The owner cleans up when it closes its custody (or leaves, `atexit`). When it cannot (it was killed), two
guardians that know nothing of each other notice the end of their sockets and do the same. They are shells:
what ends every Python of a machine does not end them. So the death of any one process of a run, of any two,
or of all its Pythons leaves nothing behind. The owner replaces guardians that were killed.

There is no moment in which nobody owns a thing: a directory is told before it is made, and a process tells of
itself, between fork and exec, while it still holds the sockets whose end the guardians wait for.
"""

import atexit
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.system.errors import PoolstartError

GUARDIAN = Path(__file__).with_name("guardian.sh")

GUARDIANS = 2

GRACE = 2.0
"""Seconds a group has between its own signal and SIGKILL; guardians allow as much."""

LINGER = 2.0
"""Seconds in which something that was killed may still be leaving a last file."""

SOCKET_PATH = 107
"""Bytes that a unix socket's path may have on Linux."""

SOCKET = len("/pymp-12345678/listener-12345678")
"""What multiprocessing adds to a temporary directory for the socket of its fork server."""

NESTED = len("/poolstart-12345678")
"""What another directory of a custody adds, where a program that was started makes one in it."""

TRACKER = b"resource_tracker import main"
"""In the command line of Python's resource tracker, and of joblib's."""

_guardians: "dict[subprocess.Popen[bytes], socket.socket]" = {}
"""All guardians of this process, with its ends of their sockets."""

_custodies: "weakref.WeakSet[Custody]" = weakref.WeakSet()


class Custody:
    """Process groups and directories that end with their owner.

    A context manager; `close` may be called any number of times. Groups are sent the signal they
    were started with, and SIGKILL after `GRACE` seconds.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._processes: dict[subprocess.Popen[Any], str] = {}
        self._directories: set[str] = set()
        self._told: list[subprocess.Popen[bytes]] = []
        _custodies.add(self)
        atexit.register(self.close)

    def __enter__(self) -> "Custody":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def directory(self, prefix: str = "poolstart-", *, room: int = 0) -> Path:
        """A new private directory, removed at the end.

        multiprocessing may keep a socket in it, or in a directory whose path is `room` bytes longer. Raises
        `PoolstartError` where that path would be too long for a socket, or there can be no directory.
        """
        base = tempfile.gettempdir()
        path = os.path.join(base, prefix + secrets.token_hex(4))
        too_long = len(os.fsencode(path)) + room + SOCKET - SOCKET_PATH
        if too_long > 0:
            raise PoolstartError(
                f"the path of the temporary directory {base} is too long for the sockets of multiprocessing",
                f"set TMPDIR to one that is {too_long} bytes shorter, /tmp for example",
            )
        if "\n" in path:
            raise PoolstartError("TMPDIR has a line break in it", "set it to another directory")
        self._tell(f"hold directory {path}")
        self._directories.add(path)
        try:
            os.mkdir(path, 0o700)
        except OSError as error:
            raise PoolstartError(
                f"no directory can be made in {base}: {error.strerror}",
                "set TMPDIR to a directory you can write to",
            ) from None
        return Path(path)

    def start(
        self, command: Sequence[str | Path], *, end: str = "SIGKILL", **options: Any
    ) -> "subprocess.Popen[Any]":
        """Start `command` as leader of a session and process group of its own."""
        self.provide_guardians()
        process = _Held(self, end, list(map(str, command)), options)
        self._processes[process] = end
        return process

    @contextlib.contextmanager
    def forks(self) -> Iterator[None]:
        """What this thread forks meanwhile by way of `subprocess` leads a group, and is held from then on.

        For processes that someone else starts with a `preexec_fn`; `adopt` them next.
        """
        self.provide_guardians()
        _forking.custody = self
        try:
            yield
        finally:
            del _forking.custody

    def adopt(self, process: "subprocess.Popen[Any]", *, end: str = "SIGKILL") -> None:
        """Take over a process that someone else started as leader of a process group."""
        self._processes[process] = end
        self.tell_of_group(process.pid, end)

    def tell_of_group(self, group: int, end: str) -> None:
        self._tell(f"hold group {group} {end.removeprefix('SIG')}")

    def tell_of_end(self, group: int) -> None:
        self._tell(f"drop group {group}")

    def stop(self, process: "subprocess.Popen[Any]") -> None:
        """End one process with everything in its group, and reap it."""
        end = self._processes.pop(process, None)
        if end is not None:
            self._end({process: end})

    def remove(self, directory: Path) -> None:
        """Remove one directory of this custody."""
        self._directories.discard(str(directory))
        _remove(directory)

    def close(self) -> None:
        """End everything held; nothing happens in a forked copy of the owner."""
        atexit.unregister(self.close)
        if os.getpid() != self._owner:
            return
        processes, self._processes = self._processes, {}
        directories, self._directories = self._directories, set()
        self._end(processes)
        for directory in directories:
            _remove(Path(directory))
        for guardian in self._told:
            _guardians.pop(guardian).close()
            guardian.wait()
        self._told.clear()

    def _end(self, processes: "dict[subprocess.Popen[Any], str]") -> None:
        """Signal every group, and SIGKILL what is left after `GRACE` seconds.

        Groups that are sent SIGKILL are not waited for: nothing of them runs again. But where one has a
        resource tracker, that one is left to unlink what the others shared; it ends when they are gone.
        """
        ends = {process.pid: end for process, end in processes.items()}
        tracked = {group for group, end in ends.items() if end == "SIGKILL" and any(_running(group).values())}
        waiting = {group for group, end in ends.items() if end != "SIGKILL"} | tracked
        for group in ends.keys() - tracked:
            _send(group, getattr(signal, ends[group]))
        deadline = time.monotonic() + GRACE
        while waiting and time.monotonic() < deadline:
            for group in waiting & tracked:
                _kill_all_but_trackers(group)
            time.sleep(0.01)
            waiting = {group for group in waiting if _running(group)}
        for process in processes:
            _send(process.pid, signal.SIGKILL)
            process.wait()
            self.tell_of_end(process.pid)

    def provide_guardians(self) -> None:
        """See that there are enough, in place of those that were killed; a new one is told what is held."""
        for guardian in list(self._told):
            if guardian.poll() is not None:
                with contextlib.suppress(ValueError):  # another thread has seen it too
                    self._told.remove(guardian)
                if ours := _guardians.pop(guardian, None):
                    ours.close()
        while len(self._told) < GUARDIANS:
            ours, theirs = socket.socketpair()
            guardian = subprocess.Popen(
                ["/bin/sh", str(GUARDIAN)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )
            theirs.close()
            _guardians[guardian] = ours
            self._told.append(guardian)
            held = [f"hold directory {directory}" for directory in self._directories]
            held += [
                f"hold group {process.pid} {end.removeprefix('SIG')}"
                for process, end in self._processes.items()
            ]
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                ours.sendall("".join(f"{line}\n" for line in held).encode(), socket.MSG_NOSIGNAL)

    @property
    def guardians(self) -> set[int]:
        return {guardian.pid for guardian in self._told}

    @property
    def guarded(self) -> bool:
        """Whether anything is, or may still be, in the care of guardians of this process."""
        return bool(self._told) and os.getpid() == self._owner

    def _tell(self, line: str) -> None:
        # Between fork and exec there is somebody else, whose children they are not.
        if os.getpid() == self._owner:
            self.provide_guardians()
        for guardian in self._told:
            # One that was killed is no loss: the owner is alive, and so is the other.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                _guardians[guardian].send(f"{line}\n".encode(), socket.MSG_NOSIGNAL)


class _Held(subprocess.Popen[Any]):
    """A process that tells the guardians of itself before it becomes what it is to run."""

    def __init__(self, custody: Custody, end: str, command: list[str], options: dict[str, Any]) -> None:
        try:
            super().__init__(
                command,
                start_new_session=True,
                preexec_fn=lambda: custody.tell_of_group(os.getpid(), end),
                **options,
            )
        except OSError:
            if self.pid:
                custody.tell_of_end(self.pid)
            raise


_forking = threading.local()


def _tell_of_fork() -> None:
    custody = getattr(_forking, "custody", None)
    if custody is not None:
        os.setpgid(0, 0)
        custody.tell_of_group(os.getpid(), "SIGKILL")


os.register_at_fork(after_in_child=_tell_of_fork)


def abandon(seconds: float) -> None:
    """Leave everything that this process holds, in any custody, to the guardians; wait until they are done.

    For a process that is about to leave without another word: nothing it was doing is gone on with. Guardians
    that are killed before they are done are replaced.
    """
    deadline = time.monotonic() + seconds
    left = [custody for custody in list(_custodies) if custody.guarded]
    while left and time.monotonic() < deadline:
        for custody in left:
            custody.provide_guardians()
        done = _ended_by_themselves({guardian.pid for guardian in _guardians}, deadline)
        left = [custody for custody in left if not done & custody.guardians]


def _ended_by_themselves(waiting: set[int], deadline: float) -> set[int]:
    """Tell these guardians that their owner has gone; which of them were not killed while they were at it."""
    for ours in _guardians.values():
        ours.close()
    done = set()
    while waiting and time.monotonic() < deadline:
        try:
            # Of every child: one that has ended and is not reaped looks alive to the guardians.
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if not pid:
            time.sleep(0.005)
        elif pid in waiting:
            waiting.discard(pid)
            if os.WIFEXITED(status):
                done.add(pid)
    return done


def _send(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _running(group: int) -> dict[int, bool]:
    """The processes of a group that have not ended, and whether they are, or may become, resource trackers.

    In the midst of its exec a process has no command line: who it will be is not known yet.
    """
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            state, _, its_group, *_ = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
            if int(its_group) == group and state not in "ZX":
                command = Path("/proc", pid, "cmdline").read_bytes()
                found[int(pid)] = not command or TRACKER in command
    return found


def _kill_all_but_trackers(group: int) -> None:
    for pid, tracker in _running(group).items():
        if not tracker:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _remove(directory: Path) -> None:
    deadline = time.monotonic() + LINGER
    while True:
        _free_segments(directory)
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists() or time.monotonic() > deadline:
            return
        time.sleep(0.01)


def _free_segments(directory: Path) -> None:
    """Free what a PostgreSQL that was killed could not: its pid file names its segment of shared memory."""
    # However deep: one custody's directory may lie in that of another.
    for folder, _, names in os.walk(directory):
        if "postmaster.pid" not in names:
            continue
        try:
            lines = Path(folder, "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            continue
        if len(lines) > 6 and lines[6].strip():
            subprocess.run(
                ["ipcrm", "-m", lines[6].split()[-1]], stderr=subprocess.DEVNULL, timeout=GRACE, check=False
            )
