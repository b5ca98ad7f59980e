"""A running program, and the client that asks it for rows."""

import fcntl
import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, TypedDict

from harness.postgres.embedded import free_port
from harness.processes.child import Child
from harness.processes.errors import ProcessFailed, ProcessHung
from harness.processes.hosts import ADDRESS, Host
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.programs.checks import RowReport
from harness.programs.setup import ProgramSetup
from harness.system.environment import ROOT

WORKERS = 2
"""Workers of each program, on all its hosts together."""

DEADLINE = 60.0
"""Seconds to wait for the next step of a program, for example for Celery to be imported on a busy machine."""

POLL = 0.002
"""Seconds between two looks at what a program has done."""


class ClientAnswer(TypedDict, total=False):
    """A line of the client (`inside/common/client.py`): what came back for a token."""

    token: str
    asked: int
    """When the application was asked for the row: `time.monotonic_ns()`."""
    row: list[Any]
    error: str


class RunningProgram:
    """A context in which a program runs; on leaving it, all its processes end.

    The gate is a lock on a file. A worker that has its row waits for a shared lock, and continues when this
    process releases the exclusive one, or ends.
    """

    def __init__(
        self, setup: ProgramSetup, *, hook: bool = True, sparing: bool = False, tasks: int = 0
    ) -> None:
        """Prepare a run with or without the hook and the lines that save memory.

        `tasks` is the number of tasks after which a worker is replaced, 0 for never.
        """
        self.program = setup.program
        self.python = setup.python
        self.application_name = f"poolstart-{uuid.uuid4().hex[:12]}"
        self.started = 0
        """When the program's command was called, by `time.monotonic_ns()`; 0 before, or without a command."""
        self._tasks = tasks
        self._text = self.program.application(hook, sparing)
        self._server = setup.server
        self._host_count = setup.hosts if setup.hosts > 1 else 0
        self._hosts: list[Host] = []
        self._supervision = Supervision()
        self._output: IO[str] | None = None
        self._ready = False
        self._answers: dict[str, ClientAnswer] = {}
        self.children: dict[str, Child] = {}

    def __enter__(self) -> "RunningProgram":
        try:
            self._begin()
        except BaseException:
            self._supervision.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.open_gate()
        self._gate.close()
        self._supervision.close()
        if self._output:
            self._output.close()

    def _begin(self) -> None:
        self.scratch = self._supervision.directory()
        (self.scratch / "reports").mkdir()
        (self.scratch / "application.py").write_text(self._text)
        self._gate = open(self.scratch / "gate", "w")  # noqa: SIM115
        self.shut_gate()
        self._hosts = [Host(self._supervision) for _ in range(self._host_count)]
        address = ADDRESS if self._hosts else "127.0.0.1"
        self._redis = self.scratch / "redis.sock"
        self._redis_port = free_port(address)
        self._placeholders = {
            "address": address,
            "port": str(free_port(address)),
            "broker": f"redis://{address}:{self._redis_port}"
            if self._hosts
            else self.program.broker.format(path=self._redis),
            "each": str(WORKERS // max(1, self._host_count)),
        }
        self._variables = {
            "PYTHONPATH": f"{self.scratch}{os.pathsep}{ROOT}",
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "DATABASE_URL": self._server.sqlalchemy_url(self.application_name),
            "ADDRESS": address,
            "PORT": self._placeholders["port"],
            "BROKER": self._placeholders["broker"],
            "POOLSTART_SCRATCH": str(self.scratch),
            "POOLSTART_TASKS": str(self._tasks),
        }
        if self.program.broker:
            self._start_redis()
        client = self._start(
            "client",
            [self.python, "-m", "harness.programs.inside.common.client", self.program.client],
            stdin=subprocess.PIPE,
        )
        assert client.stdin
        self._tokens: IO[bytes] = client.stdin
        self._output = open(self.scratch / "client.out")  # noqa: SIM115
        self._wait(lambda: self._ready, "the client's import of the application")

    def _start_redis(self) -> None:
        """Start a Redis without persistence, on a socket in the run's directory, or on a port for hosts."""
        listening: tuple[str, ...] = ("--port", "0")
        if self._hosts:
            listening = ("--port", str(self._redis_port), "--bind", ADDRESS, "--protected-mode", "no")
        self._start(
            "redis-server",
            [self.python.parent / "redis-server", *listening, "--unixsocket", self._redis, "--save", ""],
        )
        self._wait(self._redis.exists, "the start of Redis")

    def _start(self, name: str, command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[Any]":
        child = Child(
            self._supervision,
            command,
            name=name,
            directory=self.scratch,
            variables=self._variables,
            cwd=self.scratch,
            **options,
        )
        self.children[name] = child
        return child.process

    def hold(self) -> RowReport:
        """Ask for a row, and wait until a worker holds it or has reported an error.

        The program's command is called at the first request, whose token is already waiting then. Raises
        `ProcessFailed` if a process of the run ends, and `ProcessHung` if nothing happens within `DEADLINE`.
        """
        token = uuid.uuid4().hex
        self._tokens.write(f"{token}\n".encode())
        self._tokens.flush()
        if self.program.start and not self.started:
            self._start_program()
        path = self.scratch / "reports" / token
        self._wait(lambda: path.exists() or token in self._answers, "a worker's row")
        if path.exists():
            report: RowReport = json.loads(path.read_text())
            report["token"] = token
            return report
        error = self._answers[token].get("error", "a row came back that no worker had reported")
        return {"token": token, "error": error}

    def _start_program(self) -> None:
        first, *others = (word.format(**self._placeholders) for word in self.program.start)
        command: list[str | Path] = [
            self.python.parent / first,
            *others,
            *(self.program.tasks if self._tasks else ()),
            *(self.program.on_host or () if self._hosts else ()),
        ]
        self.started = time.monotonic_ns()
        for number, host in enumerate(self._hosts, 1):
            self._start(f"program on host {number}", host.command(command))
        if not self._hosts:
            self._start("program", command)

    def answer(self, token: str) -> ClientAnswer:
        """What came back to the client for a token: a `row`, or an `error`. Raises like `hold`."""
        self._wait(lambda: token in self._answers, "an answer")
        return self._answers[token]

    def loaded(self) -> dict[int, int]:
        """The session of each process that loaded the application, by its pid."""
        reports = (json.loads(path.read_text()) for path in (self.scratch / "reports").glob("loaded-*[0-9]"))
        return {report["pid"]: report["backend"] for report in reports}

    def open_gate(self) -> None:
        """Let workers that hold a row return it."""
        fcntl.flock(self._gate, fcntl.LOCK_UN)

    def shut_gate(self) -> None:
        """Make workers that have a row hold it."""
        fcntl.flock(self._gate, fcntl.LOCK_EX)

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        def happened() -> bool:
            self._read()
            if condition():
                return True
            for name, child in self.children.items():
                if child.process.poll() is not None:
                    raise ProcessFailed(f"{self.program.name}: the {name} ended: {child.last_error()}")
            return False

        if not wait_until(happened, DEADLINE, poll=POLL):
            *_, latest = self.children.values()
            raise ProcessHung(
                f"{self.program.name}: {what} took more than {DEADLINE:g} s: {latest.last_error()}"
            )

    def _read(self) -> None:
        while self._output and (line := self._output.readline()):
            if not line.endswith("\n"):
                # The client is still writing it.
                self._output.seek(self._output.tell() - len(line))
                return
            message = json.loads(line)
            if "ready" in message:
                self._ready = True
            else:
                self._answers[message["token"]] = message
