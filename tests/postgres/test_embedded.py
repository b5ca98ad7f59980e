"""The embedded server: private, on loopback alone, gone with its owner, for root and for anybody."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.hazards.runner import REQUIRE_TLS
from harness.postgres import binaries, embedded, locate
from harness.postgres.embedded import SETTINGS
from harness.postgres.server import Server, describe
from harness.postgres.url import parameters, render
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError
from tests.support.remains import Scene, postmaster, scene


def setting(server: Server, name: str) -> str:
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select current_setting(%s)", [name])
        (value,) = cursor.fetchone() or ("",)
        return str(value)


def test_it_is_what_it_says_it_is(server: Server) -> None:
    asked = describe("embedded", server.url)
    assert asked == server
    assert server.identity == embedded.identity()


def test_it_listens_on_loopback_alone(server: Server) -> None:
    assert setting(server, "listen_addresses") == "127.0.0.1"
    port = int(setting(server, "port"))
    assert f".s.PGSQL.{port}" not in Path("/proc/net/unix").read_text()
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), timeout=5):
        pass


def test_it_runs_with_the_settings_of_every_server_of_ours(server: Server) -> None:
    assert {name: setting(server, name) for name in SETTINGS} == SETTINGS


def test_its_data_is_private(server: Server) -> None:
    _, data = postmaster(server)
    assert data.stat().st_mode & 0o077 == 0
    assert data.parent.stat().st_mode & 0o077 == 0


STRANGER = 64999
"""The number of an account that is nobody's here."""

ASKS = """
import json, os, psycopg2, sys
# The stranger may not even run this interpreter, where it is below another user's home.
os.setgroups([])
os.setresgid(*[int(sys.argv[2])] * 3)
os.setresuid(*[int(sys.argv[2])] * 3)
answers = []
for url, question in json.loads(sys.argv[1]):
    try:
        connection = psycopg2.connect(url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            answers.append(f"done {cursor.fetchall()}")
    except psycopg2.Error as error:
        answers.append(error.pgcode or str(error))
print(json.dumps(answers))
"""

REFUSED = "42501"
"""insufficient_privilege"""

LOCKED = "55P03"
"""lock_not_available"""


def as_a_stranger(url: str, questions: list[tuple[str, dict[str, str]]]) -> list[str]:
    """The server's answers to another account of this machine; a question comes with changes of the URL."""
    if os.getuid() != 0:
        pytest.skip("only root may become another account")
    given = [(render({**parameters(url), **changes}), question) for question, changes in questions]
    asked = subprocess.run(
        [sys.executable, "-c", ASKS, json.dumps(given), str(STRANGER)],
        cwd="/",
        env={"HOME": "/"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    answers: list[str] = json.loads(asked.stdout)
    return answers


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Server]:
    with Supervision() as supervision:
        try:
            yield embedded.start(supervision, tls=True)
        except embedded.NoTLS as reason:
            if os.environ.get(REQUIRE_TLS) == "1":
                raise
            pytest.skip(reason.problem)


@pytest.fixture(params=["server", "encrypted"])
def either(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


QUESTIONS: list[tuple[str, dict[str, str], str]] = [
    ("select current_user", {}, "done .*poolstart"),
    ("copy (select 1) to program 'id > /tmp/poolstart-was-here'", {}, REFUSED),
    ("select lo_import('/etc/hostname')", {}, REFUSED),
    ("alter system set archive_command = 'id'", {}, REFUSED),
    ("create function f() returns int language c as 'libc.so.6', 'getpid'", {}, REFUSED),
    ("set role postgres", {}, REFUSED),
    ("select 1", {"user": "postgres", "dbname": "postgres"}, "no pg_hba.conf entry"),
    ("select 1", {"dbname": "postgres"}, "no pg_hba.conf entry"),
]


def test_another_account_can_execute_nothing_through_it(either: Server) -> None:
    answers = as_a_stranger(either.url, [(question, changes) for question, changes, _ in QUESTIONS])
    wrong = [
        (question, answer)
        for (question, _, expected), answer in zip(QUESTIONS, answers, strict=True)
        if not re.search(expected, answer)
    ]
    assert wrong == []


CHANGES = [
    "alter role poolstart set statement_timeout = 1",
    "alter role poolstart password 'mine'",
    "alter database poolstart set statement_timeout = 1",
]


def test_another_account_changes_no_setting_of_role_and_database(either: Server) -> None:
    """It waits for a lock that lasts as long as the server, here for as long as it wants to."""
    answers = as_a_stranger(either.url, [(f"set lock_timeout = 100; {change}", {}) for change in CHANGES])
    assert answers == [LOCKED] * len(CHANGES)
    with either.connect() as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_db_role_setting")
        assert cursor.fetchall() == [(0,)]


def test_its_role_has_no_privilege_beyond_its_own_database(either: Server) -> None:
    with either.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls from pg_roles"
            " where rolname = current_user"
        )
        assert cursor.fetchall() == [(False,) * 5]
        cursor.execute(
            "select count(*) from pg_roles where rolname like 'pg\\_%' and rolname <> 'pg_database_owner'"
            " and pg_has_role(oid, 'member')"
        )
        assert cursor.fetchall() == [(0,)]


def test_its_role_may_do_what_measuring_needs(either: Server) -> None:
    """See and end sessions of its own, and make tables."""
    with either.connect("another") as other, either.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select pid from pg_stat_activity where application_name = 'another' and state = 'idle'"
        )
        ((backend,),) = cursor.fetchall()
        assert backend == other.info.backend_pid
        cursor.execute("select pg_terminate_backend(%s)", [backend])
        assert cursor.fetchall() == [(True,)]
        cursor.execute("create table made (x int); drop table made")


def test_a_killed_one_leaves_no_shared_memory() -> None:
    def segments() -> set[str]:
        return {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}

    with Supervision() as supervision:
        pid, data = postmaster(embedded.start(supervision))
        assert "/dev/shm/" not in Path(f"/proc/{pid}/maps").read_text()
        segment = (data / "postmaster.pid").read_text().splitlines()[6].split()[-1]
        assert segment in segments()
        os.kill(pid, signal.SIGKILL)
    assert segment not in segments()


STARTS = """
from harness.postgres import embedded
from harness.processes.supervision import Supervision
with Supervision() as supervision:
    embedded.start(supervision)
"""


@pytest.mark.parametrize(
    ("killed", "stage"), [("the owner", "--boot"), ("what initdb started", "--single -F")]
)
def test_one_that_is_killed_while_it_is_made_leaves_no_shared_memory(killed: str, stage: str) -> None:
    shared: set[str] = set()
    with scene() as here:

        def started() -> "subprocess.Popen[str]":
            return here.python("-c", STARTS, stderr=subprocess.DEVNULL)

        def has_some() -> bool:
            nonlocal owner
            if owner.poll() is not None:
                # The stage takes a moment, which this process may have missed on a busy machine.
                owner = started()
            shared.update(here.shared_memory())
            return bool(shared and here.processes(stage))

        owner = started()
        here.wait_for(has_some, "it has shared memory")
        while not owner.poll():
            if owner.returncode == 0:
                # On a busy machine it was done before anything of it was killed.
                owner = started()
                here.wait_for(has_some, "it has shared memory")
            # initdb's own command line has "-U postgres -A trust" in it.
            made_by_it = [pid for pid, of in here.processes("/postgres").items() if "initdb" not in of]
            victims = [owner.pid] if killed == "the owner" else made_by_it
            for pid in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        assert owner.returncode
        here.wait_until_gone()
        assert not here.left_of(shared)


PROGRAM = """
import os
from harness.postgres import locate
from harness.postgres.server import describe
with locate.server() as server:
    print(os.getuid(), server.identity, describe("embedded", server.url) == server)
"""


def test_an_ordinary_user_gets_one_too() -> None:
    """Where root runs the tests, in a user namespace in which root is nobody special."""
    ordinary = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.getuid() == 0 else []
    with scene() as here:
        done = here.start(*ordinary, sys.executable, "-c", PROGRAM, stdout=subprocess.PIPE)
        output, _ = done.communicate(timeout=300)
        assert output.split()[0] != "0"
        assert output.split()[2] == "True"
        here.wait_until_gone()


def test_binaries_out_of_the_server_account_s_reach_are_copied(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    if os.getuid() != 0:
        pytest.skip("only root runs the server under another account")
    hidden = tmp_path / "home"
    package = embedded.binaries().parents[1]
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, hidden / part.name)
    hidden.chmod(0o700)
    copied = hidden / embedded.binaries().relative_to(package.parent)
    monkeypatch.setenv(binaries.BINARIES, str(copied))
    with Supervision() as supervision:
        assert setting(embedded.start(supervision), "server_version")


def other_binaries() -> Path | None:
    """A system's PostgreSQL, where there is one."""
    try:
        return embedded.tls_binaries()
    except embedded.NoTLS:
        return None


@pytest.mark.parametrize("major", ["the wheel's", "another"])
def test_a_server_of_chosen_binaries_is_called_what_it_says_it_is(
    monkeypatch: pytest.MonkeyPatch, major: str
) -> None:
    """Results are filed under an identity that is known before anything runs."""
    folder = embedded.binaries() if major == "the wheel's" else other_binaries()
    if folder is None:
        assert not os.environ.get(REQUIRE_TLS), "CI has another PostgreSQL"
        pytest.skip("no other PostgreSQL on this machine")
    monkeypatch.setenv(binaries.BINARIES, str(folder))
    identity = locate.identity()
    with locate.server() as server:
        assert server.identity == identity == describe("embedded", server.url).identity
    printed = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert identity.split("-")[1] in printed.stdout.split()


def test_a_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SETTINGS, "shared_buffers", "nonsense")
    with Supervision() as supervision, pytest.raises(PoolstartError, match=r"did not start.*shared_buffers"):
        embedded.start(supervision)


def test_the_error_of_initdb_is_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "INITDB", (*embedded.INITDB, "--locale-provider=nonsense"))
    with (
        Supervision() as supervision,
        pytest.raises(PoolstartError, match=r"^initdb failed: .*nonsense") as failed,
    ):
        embedded.start(supervision)
    assert "--help" not in str(failed.value)


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ('initdb: error: could not create directory "/x/data": Permission denied', "check its permissions"),
        ("initdb: could not look up effective user ID 12345: user does not exist", "run as an account that"),
        (
            "FATAL:  insufficient file descriptors available to start server process",
            "raise the limit of open",
        ),
        ("postgres: could not open file: Too many open files", "raise the limit of open files"),
        ('FATAL:  could not extend file "base/1/2675": No space left on device', "make room on that disk"),
        (
            'FATAL:  could not extend file "base/1/2675": wrote only 4096 of 8192 bytes',
            "make room on that disk",
        ),
        (
            'FATAL:  could not resize shared memory segment "/P.1": No space left on device',
            "make room in /dev/shm",
        ),
        ("FATAL:  something that is not known", ""),
    ],
)
def test_the_remedy_follows_from_what_initdb_reports(tmp_path: Path, line: str, remedy: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"performing post-bootstrap initialization ... {line}\nchild process exited\n")
    found = embedded.failed("initdb failed", log)
    # The problem, and not what followed from it.
    assert "FATAL" not in line or found.problem.rpartition(": ")[2] in line
    assert found.remedy.startswith(remedy) if remedy else not found.remedy


def test_a_port_that_is_taken_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken, Supervision() as supervision:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = iter([taken.getsockname()[1]])
        free = embedded.free_port
        monkeypatch.setattr(embedded, "free_port", lambda: next(ports, None) or free())
        assert setting(embedded.start(supervision), "port") != str(taken.getsockname()[1])


OLD = Path("/usr/lib/postgresql/15/bin")
"""A PostgreSQL whose initdb accepts no settings."""


def stopped_with_shared_memory(here: Scene) -> "tuple[subprocess.Popen[str], set[str]]":
    """An owner of an initdb that is stopped at a moment at which it has a file in /dev/shm, and the files."""
    owner = here.python("-c", STARTS)
    while True:
        if owner.poll() is not None:
            # On a busy machine this process may have missed the moment.
            owner = here.python("-c", STARTS)
        for pid in here.processes("bin/postgres"):
            if not in_dev_shm(pid):
                continue
            os.kill(pid, signal.SIGSTOP)
            if found := in_dev_shm(pid):
                return owner, found
            os.kill(pid, signal.SIGCONT)


def in_dev_shm(pid: int) -> set[str]:
    try:
        return set(
            re.findall(r"/dev/shm/PostgreSQL\.\d+$", Path(f"/proc/{pid}/maps").read_text(), re.MULTILINE)
        )
    except OSError:
        return set()


@pytest.mark.skipif(not OLD.exists(), reason="there is no PostgreSQL 15")
def test_an_end_during_initdb_leaves_no_shared_memory() -> None:
    with scene() as here:
        here.environment[binaries.BINARIES] = str(OLD)
        run, shared = stopped_with_shared_memory(here)
        assert all(Path(path).exists() for path in shared)
        run.kill()
        run.wait(300)
        here.wait_until_gone()
        assert {path for path in shared if Path(path).exists()} == set()
