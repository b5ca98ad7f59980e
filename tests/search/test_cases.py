"""Programs that fail as those of users did: what they print leads to the right page, and its code fixes them.

Each program runs against a real server, as it is and with the code of the page in place of its own.
"""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness.poolers import pgbouncer, things
from harness.postgres import embedded
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.search import report, search
from tests.support import cases
from tests.support.poolers import needs_pgbouncer

slow = pytest.mark.slow

TOGETHER = 3
"""Programs that run at the same time."""


@dataclass(frozen=True)
class Case:
    """A program, what it prints when it fails, and the page that its user is led to."""

    program: str
    entry: str
    """The right page: the first hit, or the one that an observation named before it leads to."""
    seen: str
    """What the program prints; the whole output is pasted into the search."""
    fixes: dict[str, int] = field(default_factory=dict)
    """By part of the program: the number of the fix on the page that replaces it."""
    asked: str = ""
    """What the user searches for if the program prints no message."""
    variables: dict[str, str] = field(default_factory=dict)
    packages: bool = False
    """Whether it needs drivers besides psycopg2."""

    def __str__(self) -> str:
        return "-".join([self.program, *self.variables.values(), *map(str, self.fixes.values())])


CASES = [
    Case("idle_cut", "lookalike.idle_cut", "server closed the connection", {"engine": 0}),
    Case("failover", "lookalike.failover", "server closed the connection", {"engine": 0}),
    Case("leaked_connections", "lookalike.leaked_connections", "QueuePool limit of size 2", {"work": 0}),
    Case("shared_by_threads", "lookalike.shared_by_threads", "session is provisioning", {"sessions": 0}),
    Case(
        "lost_settings",
        "hazard.lost_settings",
        'worker "$user", public',
        {"engine": 0},
        asked="worker reads another schema: search_path is lost",
    ),
    Case(
        "missing_thread",
        "hazard.missing_thread",
        "['by the parent']",
        {"worker": 0},
        asked="logs of workers never arrive, without an error",
    ),
    Case(
        "missing_pool_thread",
        "hazard.missing_thread",
        "couldn't get a connection after 0.60 sec",
        {"worker": 1},
        packages=True,
    ),
    Case("startup_race", "hazard.startup_race", "already exists", {"start": 0}),
    Case("copied_ids", "hazard.copied_ids", "duplicate key value", {"worker": 0}),
    Case(
        "lost_values",
        "hazard.lost_values",
        "parent customer worker default",
        {"worker": 0},
        asked="a global set in main has its default in the spawned worker",
    ),
    Case("handed_session", "hazard.unpicklable", "create_engine.<locals>", {"engine": 0}),
    Case(
        "handed_session",
        "hazard.unpicklable",
        "not the same object",
        {"engine": 0},
        variables={"UNBOUND": "1"},
    ),
    Case(
        "engine_per_task",
        "hazard.max_connections",
        "sessions after each task: 1 2 3",
        {"engine": 0},
        asked="FATAL:  sorry, too many clients already",
    ),
    Case(
        "lock_outlives",
        "hazard.orphaned_backend",
        "pg_try_advisory_lock: False",
        {"worker": 0},
        asked="advisory lock is still held after a crash",
    ),
    Case(
        "before_commit",
        "hazard.uncommitted_parent",
        "the worker found: not found",
        {"start": 0},
        asked="sqlalchemy.exc.NoResultFound: No row was found when one was required",
    ),
    Case(
        "copied_signals",
        "hazard.copied_signals",
        "the server shuts down: True",
        {"worker": 0},
        asked="the server shuts down when a worker is terminated",
    ),
    Case("daemon", "hazard.reused_descriptor", "Bad file descriptor", {"workers": 0}),
    Case(
        "daemon",
        "hazard.reused_descriptor",
        "Socket operation on non-socket",
        {"workers": 0},
        variables={"LOG": "1"},
    ),
    Case(
        "asyncpg_loop",
        "hazard.asyncpg_loop",
        "the parent's session is alive: False",
        {"worker": 0},
        asked="the parent's next query never returns after a worker was forked from a running event loop",
        packages=True,
    ),
    Case(
        "shared_connection",
        "hazard.shared_socket",
        "both use backend",
        {"workers": 0},
        asked="pg_backend_pid the same in two processes",
    ),
    Case(
        "shared_connection",
        "hazard.shared_socket",
        'prepared statement "_pg3_0" already exists',
        {"workers": 0},
        variables={"DRIVER": "postgresql+psycopg"},
        packages=True,
    ),
    Case(
        "raw_connection",
        "hazard.handler_copy",
        "both use backend",
        {"worker": 0},
        asked="a psycopg2.connect() in a module global, pg_backend_pid is the same in forked workers",
    ),
    Case(
        "raw_connection",
        "hazard.handler_copy",
        "both use backend",
        {"worker": 0},
        asked="a psycopg2 connection that an engine's creator returns is shared with forked workers",
        variables={"CREATOR": "1"},
    ),
    Case(
        "open_session",
        "hazard.inherited_session",
        "rollback: parent worker",
        {"sessions": 0},
        asked="scoped_session after a fork: rows that were rolled back are committed",
    ),
    Case("returned_result", "hazard.unpicklable", "MaybeEncodingError", {"task": 1}),
    Case("copied_shutdown", "hazard.copied_signals", "can only test a child process", {"worker": 0}),
    Case("scheduler_jobs", "hazard.startup_race", "ConflictingIdError", {"scheduler": 1}, packages=True),
    Case("detached", "hazard.reused_descriptor", "Bad file descriptor", {"workers": 0}, packages=True),
    Case("event_loop", "lookalike.event_loop", "attached to a different loop", {"engine": 0}, packages=True),
    Case("event_loop", "lookalike.event_loop", "attached to a different loop", {"run": 1}, packages=True),
    Case(
        "event_loop",
        "lookalike.event_loop",
        "attached to a different loop",
        {"engine": 0},
        variables={"ADVISED": "1"},
        packages=True,
    ),
]


@pytest.fixture(scope="session")
def python() -> Path:
    """An interpreter with the drivers that the harness does not need."""
    return cases.python()


def leads_to(text: str) -> tuple[str, ...]:
    """The pages that a user comes to: those to exclude by an observation, and then the first."""
    found = search.rank(search.on_record(), text)
    first = [entry for entry in found.entries if entry not in found.to_exclude][:1]
    return (*found.to_exclude, *first)


def wrong(chosen: Case, url: str, **python: Path) -> str:
    """What is wrong: empty if the program fails, its output leads to the page, and its code fixes it."""
    # The path of pytest's own directory would be too long for the sockets of multiprocessing.
    with TemporaryDirectory(ignore_cleanup_errors=True) as name:
        directory = Path(name)
        failed = cases.run(chosen.program, url, directory, **python, **chosen.variables)
        if failed.returncode != 1 or chosen.seen not in failed.stdout:
            return f"does not fail so: {failed.stdout}"
        found = leads_to(chosen.asked or failed.stdout)
        if chosen.entry not in found:
            return f"leads to {found}"
        code = report.fixes(chosen.entry)
        fixed = {part: code[number].code for part, number in chosen.fixes.items()}
        cured = cases.run(chosen.program, url, directory, fixed, **python, **chosen.variables, FIXED="1")
        return "" if cured.returncode == 0 else f"is not cured: {cured.stdout}"


@pytest.mark.parametrize("packages", [False, pytest.param(True, marks=slow)])
def test_what_a_program_prints_leads_to_the_page_whose_code_fixes_it(
    packages: bool, server: Server, request: pytest.FixtureRequest
) -> None:
    python = {"python": request.getfixturevalue("python")} if packages else {}
    chosen = {str(case): case for case in CASES if case.packages == packages}
    url = server.sqlalchemy_url("case")
    with ThreadPoolExecutor(TOGETHER) as executor:
        found = executor.map(lambda name: wrong(chosen[name], url, **python), chosen)
        assert dict(zip(chosen, found, strict=True)) == dict.fromkeys(chosen, "")


@pytest.fixture(scope="module")
def encrypted() -> Iterator[str]:
    """The URL of a server that requires TLS."""
    with Supervision() as supervision:
        yield embedded.start(supervision, tls=True).sqlalchemy_url("case")


def test_over_tls_two_engines_and_a_connection_of_no_engine_fail_in_a_worker_that_treated_one_engine(
    encrypted: str, tmp_path: Path
) -> None:
    failed = cases.run("shared_connection", encrypted, tmp_path)
    assert failed.returncode == 1
    entry = leads_to(failed.stdout)[-1]
    assert entry == "hazard.tls_broken"
    fix, _ = report.fixes(entry)
    assert cases.run("shared_connection", encrypted, tmp_path, {"workers": fix.code}).returncode == 0
    failed = cases.run("raw_connection", encrypted, tmp_path)
    assert failed.returncode == 1
    _, other = report.fixes(leads_to(failed.stdout)[-1])
    assert cases.run("raw_connection", encrypted, tmp_path, {"worker": other.code}).returncode == 0


def test_a_lock_of_the_drivers_libraries_is_no_matter_of_the_engine(encrypted: str, tmp_path: Path) -> None:
    failed = cases.run("native_lock", encrypted, tmp_path)
    assert failed.returncode == 1
    entry = leads_to(failed.stdout)[-1]
    assert entry == "hazard.native_lock"
    (fix,) = report.fixes(entry)
    (tmp_path / "openssl.cnf").unlink()
    assert cases.run("native_lock", encrypted, tmp_path, {"context": fix.code}).returncode == 0


def test_a_worker_that_waits_for_a_row_is_found_and_limited(server: Server, tmp_path: Path) -> None:
    url = server.sqlalchemy_url("case")
    entry = "lookalike.lock_wait"
    assert leads_to("do_execute (sqlalchemy/engine/default.py:943)") == (entry,)
    who, limits = report.fixes(entry)
    waits = cases.run("lock_wait", url, tmp_path, REPORT=who.code)
    assert waits.returncode == 1
    assert "idle in transaction', 'holder', \"update lock_wait set state = 'mine'\"" in waits.stdout
    limited = cases.run("lock_wait", url, tmp_path, {"engine": limits.code}, SHORT="1")
    assert limited.returncode == 0
    assert leads_to(limited.stdout) == (entry,)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@slow
def test_every_engine_of_flask_sqlalchemy_is_found_without_an_application_context(
    server: Server, python: Path, tmp_path: Path
) -> None:
    url = server.sqlalchemy_url("case")
    failed = cases.run("flask_binds", url, tmp_path, python=python, PORT=str(free_port()))
    assert failed.returncode == 1, failed.stdout
    assert leads_to("RuntimeError: Working outside of application context.") == ("program.gunicorn",)
    assert "RuntimeError: Working outside of application context." in failed.stdout
    _, every = report.fixes("program.gunicorn")
    fixed = {"workers": every.code}
    cured = cases.run("flask_binds", url, tmp_path, fixed, python=python, PORT=str(free_port()))
    assert cured.returncode == 0, cured.stdout


@pytest.fixture
def pooled(server: Server) -> Iterator[str]:
    """The URL of the server through PgBouncer in transaction mode, with a single session."""
    (off,) = [
        way for thing in things.THINGS if thing.id == "numbered" for way in thing.ways if way.id == "off"
    ]
    # One that does not have this setting follows no prepared statements either.
    settings = {} if off.not_applicable(pgbouncer.version()) else off.settings
    with pgbouncer.started(server, "transaction", {"default_pool_size": "1", **settings}) as through:
        yield through.url


@needs_pgbouncer
@slow
@pytest.mark.parametrize(("driver", "number"), [("psycopg", 0), ("asyncpg", 1)])
def test_statements_behind_a_pooler_are_not_prepared(
    pooled: str, python: Path, tmp_path: Path, driver: str, number: int
) -> None:
    variables = {"DRIVER": f"postgresql+{driver}"}
    failed = cases.run("pooler_session", pooled, tmp_path, python=python, **variables)
    assert failed.returncode == 1, failed.stdout
    assert "prepared statement" in failed.stdout
    entry = "lookalike.pooler_session"
    assert entry in leads_to(failed.stdout)
    fixed = {"engine": report.fixes(entry)[number].code}
    cured = cases.run("pooler_session", pooled, tmp_path, fixed, python=python, **variables)
    assert cured.returncode == 0, cured.stdout
