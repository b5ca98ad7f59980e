"""Measures programs that start workers: until a worker has its first row, and what their hook is good for.

A program is one file in `harness/programs/inside`, which says at its head how it is started. Each is run as
its users run it, with two workers, from an environment of its own:

- with its hook, several times: *first row* is the time in seconds from the moment that `Program.clock` names
  until the first worker that was asked has fetched its row, by the worker's own clock; *unique memory* is
  that of both workers in bytes, read while each holds a row it has not given;
- without its hook, once: the verdict is by the server's pids of the sessions that the workers' rows came by;
- with its hook, a new worker for each task, where the program can do that;
- with its hook, one of its workers killed while it holds a row;
- with its hook and the lines that spare memory, where its file has such: *unique memory* again.

Programs whose workers may be on several hosts are measured so too, each worker on a host of its own.

Errors: `Rejected` where a program with its hook does not do as it should. No figure comes of such a run.
"""

import dataclasses
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import IO, Any

from harness.hazards.expected import Setting
from harness.lifecycles.cell import Rejected
from harness.pools.measure import sessions
from harness.postgres import embedded, locate
from harness.postgres.server import Server
from harness.system import memory
from harness.system.environment import ROOT, environment
from harness.system.errors import PoolstartError
from harness.system.hosts import ADDRESS, Host, apart, insist
from harness.system.supervision import Custody

DIRECTORY = ROOT / "harness" / "programs" / "inside"

WORKERS = 2

RUNS = 3
"""How often each program is started for its figures."""

TASKS = 3
"""Tasks of a program that makes a new worker for each."""

DEADLINE = 60.0
"""Seconds until the next thing a program does: import Celery on a busy machine, for example."""


@dataclass(frozen=True)
class Program:
    """What the head of a program's file says of it, and its text."""

    name: str
    text: str
    title: str
    link: str
    clock: str
    """From when its first row is timed."""
    packages: tuple[str, ...]
    """Requirements beside SQLAlchemy and the driver."""
    start: tuple[str, ...] = ()
    """The command that starts it, of its own environment; none where the application starts the workers
    itself. `{address}`, `{port}`, `{broker}` and `{each}`, the workers of one command, stand for what a run
    gives it."""
    tasks: tuple[str, ...] = ()
    """What is added to the command for a worker to be replaced after one task."""
    replaced: str = ""
    """How its users write that; empty where there is no such thing."""
    broker: str = ""
    """How it writes the address of its Redis, whose socket is `{path}`; empty where it needs none."""
    on_host: tuple[str, ...] | None = None
    """What is added to the command where each host has a worker of its own; none where its workers are never
    on several hosts."""
    sparing: str = ""
    """Why its workers hold more than they need, where some lines more spare them that."""
    thread: str = ""
    """Where that is told."""
    client: str = "application"
    """The module with `ask`, where only the program itself can load the application."""

    @property
    def path(self) -> Path:
        return DIRECTORY / f"{self.name}.py"

    @property
    def spreads(self) -> bool:
        """Whether its workers may be on several hosts."""
        return self.on_host is not None

    @property
    def hook(self) -> str:
        """The lines of the hook, as a user copies them; empty where a program needs none."""
        blocks = re.findall(r"(?ms)^# hook\n(.*?)\n*^# end of hook$", self.text)
        lines = re.findall(r"(?m)^ *(.*)  # hook$", self.text)
        return "\n\n".join([*blocks, *lines])

    @property
    def more(self) -> str:
        """The lines that spare memory."""
        return "\n\n".join(re.findall(r"(?ms)^# sparing\n(.*?)\n*^# end of sparing$", self.text))

    def application(self, hook: bool, sparing: bool = False) -> str:
        """The text that is run, with its hook or without, and with what spares memory."""
        text = self.text
        if not sparing:
            text = re.sub(r"(?ms)^# sparing\n.*?^# end of sparing\n", "", text)
        if hook:
            return re.sub(r"(?m)^.*  # without the hook\n", "", text)
        text = re.sub(r"(?ms)^# hook\n.*?^# end of hook\n", "", text)
        return re.sub(r"(?m)^.*  # hook\n", "", text)


def known() -> tuple[str, ...]:
    """The names of all programs."""
    return tuple(sorted(path.stem for path in DIRECTORY.glob("[!_]*.py")))


@cache
def get(name: str) -> Program:
    if name not in known():
        raise PoolstartError(f"there is no program {name!r}", f"choose among {', '.join(known())}")
    text = (DIRECTORY / f"{name}.py").read_text()
    block = re.search(r"(?m)^# /// script$\n((?:^#(?: .*)?$\n)+?)^# ///$", text)
    assert block, f"{name}.py has no head"
    head = tomllib.loads("\n".join(line[2:] for line in block[1].splitlines()))
    told: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in head["tool"]["poolstart"].items()
    }
    return Program(name=name, text=text, packages=tuple(head["dependencies"]), **told)


def chosen(names: Sequence[str], hosts: int) -> list[Program]:
    """The programs of these names, or all that may be on so many hosts."""
    programs = [get(name) for name in dict.fromkeys(names or known())]
    able = [program for program in programs if hosts == 1 or program.spreads]
    if names and able != programs:
        unable = next(program for program in programs if program not in able)
        every = ", ".join(name for name in known() if get(name).spreads)
        raise PoolstartError(
            f"{unable.name} has all its workers on one host", f"leave out --hosts, or choose among {every}"
        )
    if hosts > 1:
        # Said now, not after minutes of programs on one host.
        insist()
        if not locate.identity().startswith("embedded-"):
            raise PoolstartError(
                "hosts made for a measurement reach the embedded server only",
                "leave out --hosts or --record, or else POOLSTART_SERVER and POOLSTART_URL",
            )
    return able


@contextmanager
def server(hosts: int) -> Iterator[Server]:
    """The server for programs with their workers on so many hosts; with several, this thread's network is
    apart, and has an embedded server of its own."""
    if hosts == 1:
        with locate.server() as found:
            yield found
        return
    with apart(), Custody() as custody:
        yield embedded.start(custody, hosts=True)


def requirements(program: Program) -> list[str]:
    """What the environment of a program holds: SQLAlchemy and driver as they are here, and its own."""
    ours = [f"{name}=={metadata.version(name)}" for name in ("sqlalchemy", "psycopg2-binary")]
    return [*ours, *program.packages]


@dataclass(frozen=True)
class Without:
    """What two workers of a program without its hook did."""

    outcome: str
    """`shared`: with one another or the process they come from, they talk over one connection; `error`;
    `own`: each over its own."""
    sessions: int
    """Sessions of the server by which the workers had their rows."""
    said: str = ""
    """The error."""


@dataclass(frozen=True)
class Replaced:
    """What became of the hook when a worker was replaced."""

    tasks: int
    workers: int
    """Processes that the tasks ran in."""
    own: int
    """Of these, how many had a session of their own: the hook had been run in them."""
    said: str = ""
    """The error that ended it."""


@dataclass(frozen=True)
class Measured:
    """One program."""

    name: str
    versions: tuple[str, ...]
    first_row: tuple[float, ...]
    """Seconds, one a start."""
    uss: tuple[int, ...]
    """Bytes of each worker of each start."""
    without: Without
    killed: Replaced
    """After one of two workers was killed: two tasks more."""
    replaced: Replaced | None = None
    """With a new worker for each task; nothing where the program knows no such thing."""
    spared: tuple[int, ...] = ()
    """Bytes of each worker of each start with the lines that spare memory; none where there are no such."""
    hosts: int = 1
    """Over how many hosts its workers were spread."""

    @property
    def title(self) -> str:
        return f"{self.name}, {self.hosts} hosts" if self.hosts > 1 else self.name

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Measured":
        return cls(
            fields["name"],
            tuple(fields["versions"]),
            tuple(fields["first_row"]),
            tuple(fields["uss"]),
            Without(**fields["without"]),
            Replaced(**fields["killed"]),
            Replaced(**fields["replaced"]) if fields["replaced"] else None,
            tuple(fields["spared"]),
            fields["hosts"],
        )


@dataclass(frozen=True)
class Table:
    """What was measured of programs."""

    setting: Setting
    runs: int
    programs: tuple[Measured, ...]

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Table":
        fields = json.loads(text)
        return cls(
            Setting(**fields["setting"]),
            fields["runs"],
            tuple(map(Measured.from_json, fields["programs"])),
        )


@dataclass(frozen=True)
class Setup:
    """What is run: a program, by the interpreter of its environment, against a server."""

    program: Program
    python: Path
    server: Server
    hosts: int = 1
    """Over how many its workers are spread. More than one are for a thread whose network is apart, and so
    is their server."""


def measure(setup: Setup, runs: int = RUNS, seen: Callable[[str], None] = lambda what: None) -> Measured:
    """Everything there is to measure of a program."""
    program = setup.program
    where = f"{program.name} on {setup.hosts} hosts" if setup.hosts > 1 else program.name
    started = []
    for number in range(runs):
        seen(f"{where}, start {number + 1} of {runs}")
        started.append(first_rows(setup))
    seen(f"{where}, without its hook")
    bare = without_hook(setup)
    replaced = None
    if program.replaced:
        seen(f"{where}, {program.replaced}")
        replaced = replacing(setup)
    spared: list[int] = []
    if program.sparing:
        seen(f"{where}, sparing memory")
        for _ in range(runs):
            spared += first_rows(setup, sparing=True)[1]
    seen(f"{where}, a worker killed")
    return Measured(
        program.name,
        program.packages,
        first_row=tuple(first for first, _ in started),
        uss=tuple(each for _, memories in started for each in memories),
        without=bare,
        killed=killing(setup),
        replaced=replaced,
        spared=tuple(spared),
        hosts=setup.hosts,
    )


def first_rows(setup: Setup, *, sparing: bool = False) -> tuple[float, list[int]]:
    """Start a program with its hook: the time until the first row, and the unique memory of its workers."""
    program, server = setup.program, setup.server
    with Run(setup, sparing=sparing) as run:
        reports = hold_all(run)
        if wrong := findings(program, run.loaded(), reports):
            raise Rejected(f"{program.name}: the measurement does not count: {'; '.join(wrong)}")
        memories = [memory.read(report["pid"])["uss"] for report in reports]
        run.open_gate()
        answers = [run.answer(report["token"]) for report in reports]
        for report, answer in zip(reports, answers, strict=True):
            if answer.get("row") != [report["token"], report["backend"]]:
                raise Rejected(f"{program.name}: a row was lost on its way back: {answer}")
        called = run.started or answers[0]["asked"]
        name = run.application_name
    if left := sessions(server, name):
        raise Rejected(f"{program.name}: {left} sessions are left after all has ended")
    return (reports[0]["first_row"] - called) * 1e-9, memories


def hold_all(run: "Run") -> list[dict[str, Any]]:
    """Ask one worker after another for a row, each of which holds it: the next one is another worker."""
    return [run.hold() for _ in range(WORKERS)]


def findings(program: Program, loaded: dict[int, int], reports: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong with workers that hold their rows; empty when they count.

    `loaded` has the session that each process got when it loaded the application.
    """
    for report in reports:
        if "error" in report:
            return [str(report["error"])]
    found = []
    if len({report["pid"] for report in reports}) != len(reports):
        found.append("two rows came from one worker")
    if any(report["told"] != report["token"] for report in reports):
        found.append("a worker got another one's row")
    backends = [report["backend"] for report in reports]
    if len(set(backends)) != len(backends) or any(not own(report, loaded) for report in reports):
        found.append("workers shared a session")
    if "engine.dispose" in program.hook and not all(report["hooked"] for report in reports):
        found.append("the hook was not run")
    return found


def own(report: dict[str, Any], loaded: dict[int, int]) -> bool:
    """Whether a worker's session is none that another process got."""
    return report["backend"] not in {backend for pid, backend in loaded.items() if pid != report["pid"]}


def without_hook(setup: Setup) -> Without:
    """Two workers without the hook, one after the other: by which sessions did their rows come?"""
    with Run(setup, hook=False) as run:
        reports: list[dict[str, Any]] = []
        for _ in range(WORKERS):
            report = run.hold()
            if "error" in report:
                return Without("error", len({each["backend"] for each in reports}), report["error"])
            reports.append(report)
        loaded = run.loaded()
        backends = [report["backend"] for report in reports]
        shared = len(set(backends)) < WORKERS or not all(own(report, loaded) for report in reports)
        return Without("shared" if shared else "own", len({*backends, *(loaded.values() if shared else ())}))


def replacing(setup: Setup) -> Replaced:
    """A new worker for each of several tasks, which come one after another."""
    with Run(setup, tasks=1) as run:
        run.open_gate()
        reports: list[dict[str, Any]] = []
        for _ in range(TASKS):
            report = run.hold()
            answer = run.answer(report["token"])
            if said := report.get("error") or answer.get("error"):
                return told(reports, run, said)
            reports.append(report)
        return told(reports, run)


def killing(setup: Setup) -> Replaced:
    """Kill one of two workers while both hold a row, and ask for two more."""
    with Run(setup) as run:
        before = hold_all(run)
        os.kill(before[0]["pid"], signal.SIGKILL)
        run.open_gate()
        for report in before:
            run.answer(report["token"])
        run.shut_gate()
        reports: list[dict[str, Any]] = []
        for _ in range(WORKERS):
            report = run.hold()
            if "error" in report:
                return told(reports, run, report["error"])
            reports.append(report)
        return told(reports, run)


def told(reports: list[dict[str, Any]], run: "Run", said: str = "") -> Replaced:
    loaded = run.loaded()
    return Replaced(
        len(reports) + bool(said),
        len({report["pid"] for report in reports}),
        len({report["pid"] for report in reports if own(report, loaded)}),
        said,
    )


class Run:
    """A program that runs, and the client that asks it for rows; everything ends with the context.

    The gate is a lock on a file: a worker that has its row waits for a share of it, and goes on when whoever
    watches lets go of it or is no more.
    """

    def __init__(self, setup: Setup, *, hook: bool = True, sparing: bool = False, tasks: int = 0) -> None:
        self.program = setup.program
        self.python = setup.python
        self.application_name = f"poolstart-{uuid.uuid4().hex[:12]}"
        self.started = 0
        """When the program's command was called; 0 before, and where it has none."""
        self._tasks = tasks
        self._text = self.program.application(hook, sparing)
        self._server = setup.server
        self._several = setup.hosts if setup.hosts > 1 else 0
        self._hosts: list[Host] = []
        self._custody = Custody()
        self._lines: IO[str] | None = None
        self._answers: dict[str, dict[str, Any]] = {}
        self.processes: dict[str, subprocess.Popen[Any]] = {}

    def __enter__(self) -> "Run":
        try:
            self._begin()
        except BaseException:
            self._custody.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.open_gate()
        self._gate.close()
        self._custody.close()
        if self._lines:
            self._lines.close()

    def _begin(self) -> None:
        self.scratch = self._custody.directory()
        (self.scratch / "reports").mkdir()
        (self.scratch / "application.py").write_text(self._text)
        self._gate = open(self.scratch / "gate", "w")  # noqa: SIM115
        self.shut_gate()
        self._hosts = [Host(self._custody) for _ in range(self._several)]
        address = ADDRESS if self._hosts else "127.0.0.1"
        self._redis = self.scratch / "redis.sock"
        self._redis_port = free_port(address)
        self._words = {
            "address": address,
            "port": str(free_port(address)),
            "broker": f"redis://{address}:{self._redis_port}"
            if self._hosts
            else self.program.broker.format(path=self._redis),
            "each": str(WORKERS // max(1, self._several)),
        }
        self._environment = {
            **environment(),
            "PYTHONPATH": f"{self.scratch}{os.pathsep}{ROOT}",
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "TMPDIR": str(self.scratch),
            "DATABASE_URL": self._server.sqlalchemy_url(self.application_name),
            "ADDRESS": address,
            "PORT": self._words["port"],
            "BROKER": self._words["broker"],
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
        self._orders: IO[bytes] = client.stdin
        self._lines = open(self.scratch / "client.out")  # noqa: SIM115
        self._wait(lambda: self._answers.get("ready"), "its client to import it")

    def _start_redis(self) -> None:
        """A Redis of the run's own: it keeps nothing, and listens in the run's own directory, or to hosts."""
        listening: tuple[str, ...] = ("--port", "0")
        if self._hosts:
            listening = ("--port", str(self._redis_port), "--bind", ADDRESS, "--protected-mode", "no")
        self._start(
            "redis-server",
            [self.python.parent / "redis-server", *listening, "--unixsocket", self._redis, "--save", ""],
        )
        self._wait(self._redis.exists, "Redis")

    def _start(self, name: str, command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[Any]":
        with open(self.scratch / f"{name}.out", "wb") as out, open(self.scratch / f"{name}.err", "wb") as err:
            process = self._custody.start(
                command,
                **{"stdin": subprocess.DEVNULL, **options},
                stdout=out,
                stderr=err,
                env=self._environment,
                cwd=self.scratch,
            )
        self.processes[name] = process
        return process

    def hold(self) -> dict[str, Any]:
        """Ask for a row, and wait until a worker has it, or an error.

        The program is started when it is first asked: the token waits for it, not it for the token.
        """
        token = uuid.uuid4().hex
        self._orders.write(f"{token}\n".encode())
        self._orders.flush()
        if self.program.start and not self.started:
            first, *others = (word.format(**self._words) for word in self.program.start)
            more = (
                *(self.program.tasks if self._tasks else ()),
                *(self.program.on_host or () if self._hosts else ()),
            )
            command: list[str | Path] = [self.python.parent / first, *others, *more]
            self.started = time.monotonic_ns()
            for number, host in enumerate(self._hosts, 1):
                self._start(f"program on host {number}", host.command(command))
            if not self._hosts:
                self._start("program", command)
        path = self.scratch / "reports" / token
        self._wait(lambda: path.exists() or token in self._answers, "a worker to have a row")
        if path.exists():
            return {"token": token, **json.loads(path.read_text())}
        return {"token": token, "error": self._answers[token].get("error", "a row came from nowhere")}

    def answer(self, token: str) -> dict[str, Any]:
        """What came back for a token: `row`, or `error`."""
        self._wait(lambda: token in self._answers, "an answer")
        return self._answers[token]

    def loaded(self) -> dict[int, int]:
        """The session that each process got when it loaded the application, by pid."""
        reports = (json.loads(path.read_text()) for path in (self.scratch / "reports").glob("loaded-*[0-9]"))
        return {report["pid"]: report["backend"] for report in reports}

    def open_gate(self) -> None:
        fcntl.flock(self._gate, fcntl.LOCK_UN)

    def shut_gate(self) -> None:
        fcntl.flock(self._gate, fcntl.LOCK_EX)

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        until = time.monotonic() + DEADLINE
        while True:
            self._read()
            if condition():
                return
            gone = [name for name, process in self.processes.items() if process.poll() is not None]
            if gone:
                raise Rejected(f"{self.program.name}: the {gone[0]} ended: {self._last_line(gone[0])}")
            if time.monotonic() > until:
                raise Rejected(
                    f"{self.program.name}: {what} took more than {DEADLINE:g} s:"
                    f" {self._last_line([*self.processes][-1])}"
                )
            time.sleep(0.002)

    def _read(self) -> None:
        while self._lines and (line := self._lines.readline()):
            if not line.endswith("\n"):
                self._lines.seek(self._lines.tell() - len(line))
                return
            said = json.loads(line)
            self._answers["ready" if "ready" in said else said["token"]] = said

    def _last_line(self, name: str) -> str:
        lines = (self.scratch / f"{name}.err").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
