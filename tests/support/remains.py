"""What a run leaves behind: processes, temporary files and shared memory."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from harness.postgres.server import Server

LIMIT = 120.0
"""Seconds that a run may take to end, and then to be gone, however busy the machine is."""


class InTerminal:
    """A program in a terminal, which is read all the time."""

    def __init__(self, process: "subprocess.Popen[bytes]", terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self.output = b""
        self._closing = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        # At the end of the program, and of all that has its terminal open, reading fails.
        with contextlib.suppress(OSError):
            while (more := self._has_more()) or not self._closing.is_set():
                if more:
                    self.output += os.read(self._terminal, 65536)

    def _has_more(self) -> bool:
        return bool(select.select([self._terminal], [], [], 0 if self._closing.is_set() else 0.1)[0])

    def press_ctrl_c(self) -> None:
        os.write(self._terminal, b"\x03")

    def close(self) -> str:
        """Close the terminal, as one closes its window; returns what was written to it."""
        self._closing.set()
        self._reader.join()
        with contextlib.suppress(OSError):
            os.close(self._terminal)
        return self.output.decode(errors="replace").replace("\r\n", "\n")


class Scene:
    """Starts programs so that all their processes and files can be recognized by a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {**os.environ, "TMPDIR": str(directory)}

    def start(self, *command: str | Path, **options: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            list(map(str, command)),
            env=self.environment,
            text=True,
            start_new_session=True,
            # A background job of a shell ignores Ctrl-C, and its children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **options,
        )

    def start_in_terminal(self, *command: str | Path, width: int = 80, **options: Any) -> "InTerminal":
        """Start a program in a terminal of its own, as its foreground job."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))

        def take_terminal() -> None:
            # The tests themselves may ignore them, as under nohup.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen(
            list(map(str, command)),
            env=self.environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=take_terminal,
            **options,
        )
        os.close(theirs)
        return InTerminal(process, ours)

    def python(self, *arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
        return self.start(sys.executable, *arguments, **options)

    def processes(self, containing: str = "") -> dict[int, str]:
        """Pid and command line of every process of this scene whose command line contains a text."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (entry / "environ").read_bytes().decode(errors="replace")
                works_in = os.readlink(entry / "cwd")
            except OSError:
                continue
            # A server clears its environment and sets its own titles, but works in its data directory.
            if any(str(self.directory) in text for text in (command, environment, works_in)):
                found[int(entry.name)] = command.strip()
        return {pid: command for pid, command in found.items() if containing in command}

    def shared_memory(self) -> set[str]:
        """The shared memory of this scene's processes that would outlive them: segments and files."""
        pids = {str(pid) for pid in self.processes()}
        table = [line.split() for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
        found = {f"segment {row[1]}" for row in table if row[4] in pids}
        for pid in pids:
            with contextlib.suppress(OSError):
                maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
                found |= {
                    line.split()[-1] for line in maps if line.rpartition(" ")[2].startswith("/dev/shm/")
                }
        return found

    @staticmethod
    def left_of(shared: set[str]) -> set[str]:
        """The part of `shared` that still exists."""
        table = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        present = {f"segment {line.split()[1]}" for line in table}
        return {name for name in shared if name in present or Path(name).exists()}

    def files(self) -> list[str]:
        return sorted(entry.name for entry in self.directory.iterdir())

    def wait_for(self, condition: Callable[[], object], what: str, limit: float = 300.0) -> None:
        until = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < until, f"{what}: not in {limit:g} s; running: {self.processes()}"
            time.sleep(0.02)

    def wait_until_gone(self) -> None:
        self.wait_for(lambda: not self.processes(), "processes are gone", LIMIT)
        self.wait_for(lambda: not self.files(), f"files are gone: {self.files()}", LIMIT)


@contextlib.contextmanager
def scene() -> Iterator[Scene]:
    """A scene whose processes are killed when the test ends."""
    with tempfile.TemporaryDirectory(prefix="scene-", ignore_cleanup_errors=True) as name:
        # A server started by root runs as another user, which must be able to reach its data.
        Path(name).chmod(0o755)
        entered = Scene(Path(name))
        try:
            yield entered
        finally:
            for pid in entered.processes():
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    continue


def postmaster(server: Server) -> tuple[int, Path]:
    """The pid and the data directory of an embedded server, which its role may not query."""
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        ((backend,),) = cursor.fetchall()
        stat = Path(f"/proc/{backend}/stat").read_text()
    pid = int(stat.rpartition(")")[2].split()[1])
    arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return pid, Path(arguments[arguments.index("-D") + 1])
