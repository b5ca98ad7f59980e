"""`fork_sever`: what a worker inherits cannot reach the server, whatever the driver and the descriptor."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.postgres.server import Server
from harness.system.environment import ROOT, environment
from tests.support import cases
from tests.support.poolers import needs_pgbouncer, pgbouncer_on_unix_socket

BEGINNING = """
import asyncio, gc, os, resource, sys, threading, warnings
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from harness.treatments import sever_in_every_child

warnings.simplefilter("ignore")
URL = os.environ["SERVER"]

def severed():
    engine = create_engine(URL)
    sever_in_every_child(engine)
    return engine

def backend(connection):
    return connection.scalar(text("select pg_backend_pid()"))

def fork(work):
    "The exit status of a forked worker: 0 if `work` returned true."
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if work() else 1)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def fails(connection):
    try:
        backend(connection)
    except DBAPIError:
        return True
    return False
"""


def run(
    server: Server,
    program: str,
    driver: str = "psycopg2",
    python: str | Path = sys.executable,
    query: str = "",
) -> None:
    """Run a program, which is right if it ends with status 0."""
    url = server.sqlalchemy_url("sever").partition("?")[0].replace("+psycopg2", f"+{driver}")
    done = subprocess.run(
        [python, "-c", BEGINNING + program],
        env={**environment(), "SERVER": f"{url}{query}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


PROGRAMS = {
    "a worker has a connection of its own and the parent keeps its one": """
engine = severed()
with engine.connect() as connection:
    before = backend(connection)
def work():
    with engine.connect() as connection:
        return backend(connection) != before
assert fork(work) == 0
with engine.connect() as connection:
    assert backend(connection) == before
""",
    "a connection in use fails in the worker and commits in the parent": """
engine = severed()
with engine.begin() as connection:
    connection.execute(text("create temporary table kept (x int)"))
    assert fork(lambda: fails(connection)) == 0
    connection.execute(text("insert into kept values (1)"))
    assert connection.scalar(text("select count(*) from kept")) == 1
""",
    "every engine is treated and the connections of all threads": """
engines = [severed(), severed()]
held = [engine.connect() for engine in engines for _ in range(3)]
thread = threading.Thread(target=lambda: held.append(engines[0].connect()))
thread.start()
thread.join()
backends = {backend(connection) for connection in held}
assert len(backends) == 7
assert fork(lambda: all(fails(connection) for connection in held)) == 0
assert {backend(connection) for connection in held} == backends
""",
    "a descriptor above 1024": """
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
engine = severed()
with engine.connect() as connection:
    assert connection.connection.dbapi_connection.fileno() > 1024
    assert fork(lambda: fails(connection)) == 0
    backend(connection)
""",
    "the file that has the descriptor of a closed connection is left alone": """
engine = severed()
with engine.connect() as connection:
    number = connection.connection.dbapi_connection.fileno()
    connection.invalidate()
    gc.collect()
    assert os.open(os.devnull, os.O_RDONLY) == number
    assert fork(lambda: os.readlink(f"/proc/self/fd/{number}") == os.devnull) == 0
""",
    "no socket of the parent stays open in the worker": """
def sockets():
    names = []
    for number in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:
            pass
    return {name for name in names if name.startswith("socket:")}
engine = severed()
with engine.connect() as connection:
    backend(connection)
    inherited = sockets()
    assert inherited
    assert fork(lambda: not sockets() & inherited) == 0
""",
    "a handler of another library sees the parents connection only if it was registered before": """
engine = create_engine(URL)
seen = []
def look():
    with engine.connect() as connection:
        seen.append(backend(connection))
os.register_at_fork(after_in_child=look)
sever_in_every_child(engine)
os.register_at_fork(after_in_child=look)
look()
def work():
    before, earlier, later = seen
    return earlier == before != later
assert fork(work) == 0
""",
    "a thread that is in a query at the fork gets its answer": """
engine = severed()
answers = []
def ask():
    with engine.connect() as connection:
        answers.append(connection.scalar(text("select 'answer' from pg_advisory_lock(11)")))
with engine.connect() as connection:
    connection.execute(text("select pg_advisory_lock(11)"))
    thread = threading.Thread(target=ask)
    thread.start()
    waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
    while not connection.scalar(waiting):
        pass
    def work():
        with engine.connect() as own:
            return backend(own) > 0
    assert fork(work) == 0
    connection.execute(text("select pg_advisory_unlock(11)"))
thread.join()
assert answers == ["answer"]
""",
    "a process that c code forks as uwsgi does runs no handler": """
import ctypes
engine = severed()
with engine.connect() as connection:
    before = backend(connection)
pid = ctypes.PyDLL(None).fork()
if pid == 0:
    with engine.connect() as connection:
        shared = backend(connection) == before
    os._exit(0 if shared else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
""",
    "a driver whose sockets are not known is an error at its first connection": """
URL = "sqlite://"
engine = severed()
engine.dialect.name = "another"
try:
    engine.connect()
except TypeError as error:
    assert str(error) == "the socket of a sqlite3 connection is not known", error
else:
    raise AssertionError("no error")
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
def test_what_is_inherited_cannot_reach_the_server_and_the_parent_goes_on(
    server: Server, program: str
) -> None:
    run(server, program)


@needs_pgbouncer
def test_a_unix_socket(server: Server) -> None:
    program = """
import socket
engine = severed()
with engine.connect() as connection:
    before = backend(connection)
    number = connection.connection.dbapi_connection.fileno()
    assert socket.socket(fileno=os.dup(number)).family == socket.AF_UNIX
    assert fork(lambda: fails(connection)) == 0
    assert backend(connection) == before
"""
    with pgbouncer_on_unix_socket(server) as (through, folder):
        run(replace(server, url=through), program, query=f"?host={folder}&gssencmode=disable")


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter with drivers beside psycopg2."""
    return cases.python()


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["psycopg", "pg8000"])
def test_another_driver(server: Server, python: Path, driver: str) -> None:
    run(
        server,
        """
engine = severed()
with engine.connect() as connection:
    before = backend(connection)
    assert fork(lambda: fails(connection)) == 0
    assert backend(connection) == before
""",
        driver,
        python,
    )


@pytest.mark.slow
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_an_asynchronous_driver_forked_from_a_running_loop(server: Server, python: Path, driver: str) -> None:
    """The parent goes on: with `dispose(close=False)` alone it would wait for ever."""
    run(
        server,
        """
from sqlalchemy.ext.asyncio import create_async_engine
async def main():
    engine = create_async_engine(URL)
    sever_in_every_child(engine.sync_engine)
    async def ask():
        async with engine.connect() as connection:
            return await connection.scalar(text("select pg_backend_pid()"))
    before = await ask()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            asyncio.events._set_running_loop(None)
            code = 0 if asyncio.run(ask()) != before else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert await asyncio.wait_for(ask(), 20) == before
asyncio.run(main())
""",
        driver,
        python,
    )
