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

from harness.processes import proc, shared_memory
from harness.processes.wait import wait_until
from harness.system.errors import PoolstartError

WATCHDOG = Path(__file__).with_name("watchdog.sh")

WATCHDOGS = 2

GRACE = 2.0
"""Seconds between a group's own signal and SIGKILL; the watchdogs allow as many."""

LOCK_TIMEOUT = 0.2
"""Seconds to wait at an interrupt for a thread that is starting a watchdog."""

LINGER = 2.0
"""Seconds in which a killed process may still write a last file into a directory that is being removed."""

SOCKET_PATH = 107
"""The longest path of a unix socket on Linux, in bytes."""

SOCKET = len("/pymp-12345678/listener-12345678")
"""Bytes that multiprocessing appends to the temporary directory for the socket of its fork server."""

NESTED = len("/poolstart-12345678")
"""Bytes that a directory of another supervision appends, if a started program makes one in its TMPDIR."""

TRACKER = "resource_tracker import main"
"""In the command line of Python's resource tracker, and of joblib's."""

_sockets: "dict[subprocess.Popen[bytes], socket.socket]" = {}
"""This process's ends of the sockets of all its watchdogs."""

_supervisions: "weakref.WeakSet[Supervision]" = weakref.WeakSet()

_lock = threading.RLock()
"""Held while watchdogs change or are told something; by each fork as well, since the child tells them too."""
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Supervision:
    """Process groups and directories that end with their owner.

    A context manager; `close` may be called any number of times. On closing, each group gets the signal it
    was started with, and SIGKILL after `GRACE` seconds.
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

    def directory(self, prefix: str = "poolstart-", *, room: int = 0) -> Path:
        """Make a private directory that is removed at the end.

        multiprocessing may put a socket into it, or into a directory whose path is `room` bytes longer.
        Raises `PoolstartError` if that path would be too long for a socket, or mkdir fails.
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
            process = _OwnedProcess(self, end, list(map(str, command)), options)
            self._processes[process] = end
        return process

    @contextlib.contextmanager
    def owning_forks(self) -> Iterator[None]:
        """Own whatever this thread forks through `subprocess` within the context, as the leader of a group.

        For a process that other code starts with a `preexec_fn`; `register` it afterwards.
        """
        self.ensure_watchdogs()
        _forking.supervision = self
        try:
            yield
        finally:
            del _forking.supervision

    def register(self, process: "subprocess.Popen[Any]", *, end: str = "SIGKILL") -> None:
        """Own a process that other code started as the leader of a process group."""
        self._processes[process] = end
        self.own_group(process.pid, end)

    def own_group(self, group: int, end: str) -> None:
        """Tell the watchdogs of a process group and of the signal that ends it."""
        self._announce(f"own group {group} {end.removeprefix('SIG')}")

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
        _remove(directory)

    def close(self) -> None:
        """End all processes and remove all directories; does nothing in a forked copy of the owner."""
        atexit.unregister(self.close)
        if os.getpid() != self._owner:
            return
        processes, self._processes = self._processes, {}
        directories, self._directories = self._directories, set()
        self._end(processes)
        for directory in directories:
            _remove(Path(directory))
        with _lock:
            dismissed, self._watchdogs = self._watchdogs, []
        for watchdog in dismissed:
            _sockets.pop(watchdog).close()
            watchdog.wait()

    def _end(self, processes: "dict[subprocess.Popen[Any], str]") -> None:
        """Signal every group, and SIGKILL what is left after `GRACE` seconds.

        Groups that get SIGKILL are not waited for, because nothing of them runs again. The exception is a
        group with a resource tracker, which unlinks what the others shared and ends when they are gone.
        """
        ends = {process.pid: end for process, end in processes.items()}
        tracked = {group for group, end in ends.items() if end == "SIGKILL" and any(_running(group).values())}
        waiting = {group for group, end in ends.items() if end != "SIGKILL"} | tracked
        created: set[str] = set()
        for group in ends.keys() - tracked:
            files: set[Path] = set()
            if ends[group] == "SIGKILL":
                # A process that runs on might share more.
                if shared_memory.postgres(group):
                    _send(group, signal.SIGSTOP)
                files = shared_memory.files(group)
            created |= shared_memory.segments(group)
            _send(group, getattr(signal, ends[group]))
            for path in files:
                path.unlink(missing_ok=True)

        def ended() -> bool:
            for group in waiting & tracked:
                _kill_all_but_trackers(group)
            return not any(map(_running, waiting))

        if waiting:
            wait_until(ended, GRACE)
        for process in processes:
            _send(process.pid, signal.SIGKILL)
            process.wait()
            self.release_group(process.pid)
        shared_memory.free(created)

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
        owned += [
            f"own group {process.pid} {end.removeprefix('SIG')}"
            for process, end in list(self._processes.items())
        ]
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            ours.sendall("".join(f"{line}\n" for line in owned).encode(), socket.MSG_NOSIGNAL)
        threading.Thread(target=self._replace_if_killed, args=(watchdog,), daemon=True).start()

    def _replace_if_killed(self, watchdog: "subprocess.Popen[bytes]") -> None:
        try:
            ended = os.waitid(os.P_PID, watchdog.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return  # It is replaced already, or dismissed.
        # One that could not run, or was dismissed, has ended by itself.
        if ended and ended.si_code != os.CLD_EXITED:
            with _lock, contextlib.suppress(OSError):
                if watchdog in self._watchdogs:
                    self.ensure_watchdogs()

    @property
    def watchdogs(self) -> set[int]:
        """The pids of the watchdogs."""
        return {watchdog.pid for watchdog in self._watchdogs}

    @property
    def active(self) -> bool:
        """Whether watchdogs of this process own anything, or may."""
        return bool(self._watchdogs) and os.getpid() == self._owner

    def _announce(self, line: str) -> None:
        with _lock:
            # Between fork and exec this is another process, and the watchdogs are not its children.
            if os.getpid() == self._owner:
                self.ensure_watchdogs()
            for watchdog in self._watchdogs:
                # It may have been killed: the owner is alive, and so is the other watchdog.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    _sockets[watchdog].send(f"{line}\n".encode(), socket.MSG_NOSIGNAL)


class _OwnedProcess(subprocess.Popen[Any]):
    """A process that announces its group to the watchdogs before exec."""

    def __init__(
        self, supervision: Supervision, end: str, command: list[str], options: dict[str, Any]
    ) -> None:
        try:
            super().__init__(
                command,
                start_new_session=True,
                preexec_fn=lambda: supervision.own_group(os.getpid(), end),
                **options,
            )
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
    # From now on no other thread replaces them. One that was interrupted while it held the lock stands still.
    if not _lock.acquire(timeout=LOCK_TIMEOUT):
        _lock = threading.RLock()
    waiting = [supervision for supervision in list(_supervisions) if supervision.active]
    while waiting and time.monotonic() < deadline:
        for supervision in waiting:
            supervision.ensure_watchdogs()
        finished = _finished({watchdog.pid for watchdog in _sockets}, deadline)
        waiting = [supervision for supervision in waiting if not finished & supervision.watchdogs]


def _finished(watchdogs: set[int], deadline: float) -> set[int]:
    """Close the sockets of these watchdogs, and return those that ended by themselves before the deadline."""
    for ours in _sockets.values():
        ours.close()
    finished = set()
    while watchdogs and time.monotonic() < deadline:
        try:
            # Every child is reaped: an ended one that is not looks alive to the watchdogs.
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


def _send(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _running(group: int) -> dict[int, bool]:
    """The pids of a group's processes that have not ended, and whether each is a resource tracker.

    A process in the midst of its exec has no command line: it may become one.
    """
    commands = {pid: proc.command_line(pid) for pid in proc.group_members(group)}
    return {pid: not command or TRACKER in command for pid, command in commands.items()}


def _kill_all_but_trackers(group: int) -> None:
    for pid, tracker in _running(group).items():
        if not tracker:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _remove(directory: Path) -> None:
    def removed() -> bool:
        shared_memory.free(shared_memory.segments_named_below(directory))
        shutil.rmtree(directory, ignore_errors=True)
        return not directory.exists()

    wait_until(removed, LINGER)
