"""Supervision: every process and directory of a run has an owner, and none outlives it.

The owner cleans up when it closes its supervision or exits (`atexit`). If it is killed, two independent
watchdogs notice the end of their sockets and clean up. They are shells, so that a `pkill python` does not end
them. The death of any one process of a run, of any two, or of all its Python processes leaves nothing behind.
The owner replaces watchdogs that were killed, also while it waits: a thread waits for the end of each.

Register before create: a directory is announced to the watchdogs before mkdir, and a child announces its
process group before exec, while it still holds the sockets whose end the watchdogs wait for.
"""

import atexit
import contextlib
import os
import secrets
import socket
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.processes import groups
from harness.system.errors import PoolstartError

WATCHDOG = Path(__file__).with_name("watchdog.sh")

WATCHDOGS = 2

LOCK_TIMEOUT = 0.2
"""Seconds to wait, at an interrupt, for a thread that is starting a watchdog."""

SOCKET_PATH = 107
"""The longest path of a unix socket on Linux, in bytes."""

SOCKET = len("/pymp-12345678/listener-12345678")
"""Bytes that multiprocessing appends to the temporary directory for the socket of its fork server."""

NESTED = len("/poolstart-12345678")
"""Bytes that a directory of another supervision appends, if a started program makes one in its TMPDIR."""

_sockets: "dict[subprocess.Popen[bytes], socket.socket]" = {}
"""This process's end of the socket of each of its watchdogs."""

_supervisions: "weakref.WeakSet[Supervision]" = weakref.WeakSet()

_lock = threading.RLock()
"""Held while watchdogs change or get a message; also held during each fork, because the child sends one."""
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Supervision:
    """Process groups and directories that end with their owner.

    A context manager; `close` may be called any number of times. On closing, each group gets the signal it
    was started with, and SIGKILL after `groups.GRACE` seconds.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._processes: dict[subprocess.Popen[Any], str] = {}
        self._directories: set[str] = set()
        self._watchdogs: list[subprocess.Popen[bytes]] = []
        _supervisions.add(self)
        atexit.register(self.close)

    def __enter__(self) -> "Supervision":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def directory(self, *, room: int = 0) -> Path:
        """Make a private directory that is removed at the end.

        multiprocessing may put a socket into it, or into a directory whose path is `room` bytes longer.
        Raises `PoolstartError` if that path would be too long for a socket, or mkdir fails.
        """
        base = tempfile.gettempdir()
        path = os.path.join(base, f"poolstart-{secrets.token_hex(4)}")
        too_long = len(os.fsencode(path)) + room + SOCKET - SOCKET_PATH
        if too_long > 0:
            raise PoolstartError(
                f"the path of the temporary directory {base} is too long for the sockets of multiprocessing",
                f"set TMPDIR to one that is {too_long} bytes shorter, /tmp for example",
            )
        if "\n" in path:
            raise PoolstartError("TMPDIR has a line break in it", "set it to another directory")
        self._directories.add(path)
        self._announce(f"own directory {path}")
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
        """Start `command` as the leader of a session and a process group of its own.

        `end` is the signal that ends the group; `options` are those of `subprocess.Popen`. Raises OSError if
        the program cannot be run.
        """
        with _lock:
            self.ensure_watchdogs()
            options["preexec_fn"] = lambda: self.own_group(os.getpid(), end)
            process = _OwnedProcess(self, list(map(str, command)), **options)
            self._processes[process] = end
        return process

    @contextlib.contextmanager
    def owning_forks(self) -> Iterator[None]:
        """A context that owns each process that this thread forks, as the leader of a group.

        For processes that other code starts by `subprocess` with a `preexec_fn`; `register` them afterwards.
        """
        self.ensure_watchdogs()
        _forking.supervision = self
        try:
            yield
        finally:
            del _forking.supervision

    def register(self, process: "subprocess.Popen[Any]") -> None:
        """Own a process that other code started as the leader of a process group."""
        self._processes[process] = "SIGKILL"
        self.own_group(process.pid, "SIGKILL")

    def own_group(self, group: int, end: str) -> None:
        """Tell the watchdogs of a process group and of the signal that ends it."""
        self._announce(_own(group, end))

    def release_group(self, group: int) -> None:
        """Tell the watchdogs that a process group has ended: its number may be used again."""
        self._announce(f"release group {group}")

    def stop(self, process: "subprocess.Popen[Any]") -> None:
        """End one process with everything in its group, and reap it."""
        end = self._processes.pop(process, None)
        if end is not None:
            self._end({process: end})

    def remove(self, directory: Path) -> None:
        """Remove one directory of this supervision."""
        self._directories.discard(str(directory))
        groups.remove(directory)

    def close(self) -> None:
        """End all processes and remove all directories; does nothing in a forked copy of the owner."""
        atexit.unregister(self.close)
        if os.getpid() != self._owner:
            return
        processes, self._processes = self._processes, {}
        directories, self._directories = self._directories, set()
        self._end(processes)
        for directory in directories:
            groups.remove(Path(directory))
        with _lock:
            dismissed, self._watchdogs = self._watchdogs, []
        for watchdog in dismissed:
            _sockets.pop(watchdog).close()
            watchdog.wait()

    def _end(self, processes: "dict[subprocess.Popen[Any], str]") -> None:
        created = groups.end({process.pid: end for process, end in processes.items()})
        for process in processes:
            process.wait()
            self.release_group(process.pid)
        groups.free(created)

    def ensure_watchdogs(self) -> None:
        """Start watchdogs in place of those that were killed, and tell them what is owned."""
        with _lock:
            for watchdog in list(self._watchdogs):
                if watchdog.poll() is not None:
                    self._watchdogs.remove(watchdog)
                    _sockets.pop(watchdog).close()
            while len(self._watchdogs) < WATCHDOGS:
                self._add_watchdog()

    def _add_watchdog(self) -> None:
        ours, theirs = socket.socketpair()
        watchdog = subprocess.Popen(
            ["/bin/sh", str(WATCHDOG)],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        _sockets[watchdog] = ours
        self._watchdogs.append(watchdog)
        owned = [f"own directory {directory}" for directory in list(self._directories)]
        owned += [_own(process.pid, end) for process, end in list(self._processes.items())]
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            ours.sendall("".join(f"{line}\n" for line in owned).encode(), socket.MSG_NOSIGNAL)
        threading.Thread(target=self._replace_if_killed, args=(watchdog,), daemon=True).start()

    def _replace_if_killed(self, watchdog: "subprocess.Popen[bytes]") -> None:
        try:
            ended = os.waitid(os.P_PID, watchdog.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return  # It is replaced already, or dismissed.
        # A watchdog that could not run, or was dismissed, has ended by itself.
        if ended and ended.si_code != os.CLD_EXITED:
            with _lock, contextlib.suppress(OSError):
                if watchdog in self._watchdogs:
                    self.ensure_watchdogs()

    def _announce(self, line: str) -> None:
        with _lock:
            # Between fork and exec this is another process, and the watchdogs are not its children.
            if os.getpid() == self._owner:
                self.ensure_watchdogs()
            for watchdog in self._watchdogs:
                # It may have been killed, but the owner and the other watchdog are alive.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    _sockets[watchdog].send(f"{line}\n".encode(), socket.MSG_NOSIGNAL)


def _own(group: int, end: str) -> str:
    return f"own group {group} {end.removeprefix('SIG')}"


class _OwnedProcess(subprocess.Popen[Any]):
    """A process that has announced its group to the watchdogs before exec."""

    def __init__(self, supervision: Supervision, command: list[str], **options: Any) -> None:
        try:
            super().__init__(command, start_new_session=True, **options)
        except OSError:
            if self.pid:
                supervision.release_group(self.pid)
            raise


_forking = threading.local()


def _own_fork() -> None:
    supervision = getattr(_forking, "supervision", None)
    if supervision is not None:
        os.setpgid(0, 0)
        supervision.own_group(os.getpid(), "SIGKILL")


os.register_at_fork(after_in_child=_own_fork)


def hand_over(seconds: float) -> None:
    """Hand everything this process owns to the watchdogs, and wait at most `seconds` until they are done.

    For a process that is about to exit at once. Watchdogs that are killed before they are done are replaced.
    """
    global _lock
    deadline = time.monotonic() + seconds
    # From here on no other thread replaces them. A thread that was interrupted while it held the lock waits.
    if not _lock.acquire(timeout=LOCK_TIMEOUT):
        _lock = threading.RLock()
    waiting = [each for each in list(_supervisions) if each._watchdogs and each._owner == os.getpid()]
    while waiting and time.monotonic() < deadline:
        for supervision in waiting:
            supervision.ensure_watchdogs()
        finished = _finished({watchdog.pid for watchdog in _sockets}, deadline)
        waiting = [each for each in waiting if finished.isdisjoint(dog.pid for dog in each._watchdogs)]


def _finished(watchdogs: set[int], deadline: float) -> set[int]:
    """Close the sockets of these watchdogs, and return those that ended by themselves before the deadline."""
    for ours in _sockets.values():
        ours.close()
    finished = set()
    while watchdogs and time.monotonic() < deadline:
        try:
            # Reap every child, because one that has ended and is not reaped looks alive to the watchdogs.
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if not pid:
            time.sleep(0.005)
        elif pid in watchdogs:
            watchdogs.discard(pid)
            if os.WIFEXITED(status):
                finished.add(pid)
    return finished
