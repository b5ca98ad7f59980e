"""Code to copy that cures a problem; imports nothing of the harness, because trials import it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fix:
    """Code that cures a problem, to copy; a test applies it to a program that has the problem."""

    title: str
    """Where it goes, or for which driver, in a few words."""
    code: str
    """Python, without its final line end."""


EVERY_ENGINE = Fix(
    "Every engine of the process: found in the parent, disposed of in each worker",
    '''\
import gc

from sqlalchemy.engine import Engine


def every_engine():
    """In the parent, before gc.freeze() and before workers start: all engines, those of libraries too."""
    return [each for each in gc.get_objects() if issubclass(type(each), Engine)]


def own_connections(engines):
    """In each worker, before its first query."""
    for engine in engines:
        engine.dispose(close=False)''',
)
"""An AsyncEngine is found by its `sync_engine`. In a worker the search would copy the pages that it shares,
because it counts references to every object."""

OWN_CONNECTIONS = (
    "Let no pooled connection cross a fork: call dispose(close=False) first thing in each worker, on every"
    " engine of the process (of an AsyncEngine: on its sync_engine, without await); or use NullPool; or"
    " start workers with spawn or forkserver. A connection that no engine made, such as psycopg2.connect() in"
    " a global or Django's, is reached by none of this but spawn and forkserver: see handler_copy."
)
"""The avoidance of hazards that begin with a connection in two processes."""

OTHER_CONNECTION = Fix(
    "A connection that no engine made, such as psycopg2.connect() in a global",
    '''\
INHERITED = []


def in_worker():
    """First thing in each forked worker: the parent's connection is kept, and neither used nor closed.

    Of an engine whose `creator` returns it: then call engine.dispose(close=False) too.
    """
    global connection
    INHERITED.append(connection)
    connection = psycopg2.connect(DSN)''',
)

CLOSE_DJANGO = Fix(
    "Django, in the parent before each fork",
    """\
from django.db import connections

connections.close_all()""",
)

MAKE_ENGINE = Fix(
    "One function makes the engine, in the parent and in each worker",
    '''\
def make_engine(url):
    """All that belongs to the engine: connect_args, listeners, execution options, pool settings."""
    engine = create_engine(url, connect_args=CONNECT_ARGS, isolation_level=ISOLATION_LEVEL)
    event.listen(engine, "connect", on_connect)
    return engine


def initializer(url):
    """In each worker: Pool(initializer=initializer, initargs=(url,))."""
    global engine
    engine = make_engine(url)''',
)
"""The names in capitals, and `on_connect`, are the program's own."""

ONE_ENGINE = Fix(
    "One engine for each process",
    '''\
def initializer(url):
    """Once in each process: Pool(initializer=initializer, ...), worker_process_init, post_fork."""
    global engine
    engine = create_engine(url, pool_size=1, max_overflow=0)''',
)

COMMIT_FIRST = Fix(
    "Start the worker, or send the task, after the commit",
    '''\
from sqlalchemy import event


def after_commit(session, start):
    """Call start() once, as soon as this ORM session has committed."""
    event.listen(session, "after_commit", lambda _: start(), once=True)''',
)

END_WITH_PARENT = Fix(
    "First thing in a worker that must not outlive its parent (Linux)",
    '''\
import ctypes
import os
import signal


def end_with_parent(parent):
    """The kernel kills this process when the thread that started it ends; `parent` is its os.getpid()."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # It has ended already.
        os._exit(1)''',
)

START_IN_WORKER = Fix(
    "In each worker: what has a thread is started again",
    '''\
def in_worker():
    """First thing in each process that needs it: Pool(initializer=...), post_fork, worker_process_init."""
    global listener
    listener = start_thread()''',
)
"""`start_thread` is the program's own: the copy of the object says that its thread runs."""

POOL_IN_WORKER = Fix(
    "psycopg_pool: a new pool in each worker; the inherited one is not closed, for it is the parent's",
    '''\
def in_worker():
    """First thing in each process that needs it: Pool(initializer=...), post_fork, worker_process_init."""
    global pool
    pool = psycopg_pool.ConnectionPool(CONNINFO, open=True, **OPTIONS)''',
)

ONE_AT_A_TIME = Fix(
    "One worker after the other, if it cannot be done before they start",
    """\
def create_tables():
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(7)"))
        metadata.create_all(connection)""",
)

ONE_SCHEDULER = Fix(
    "APScheduler: one of the workers runs the scheduler, and replaces the job that is in the store",
    '''\
def start_scheduler():
    """In each worker, after the fork. The session has the lock for as long as the worker lives."""
    global leader
    leader = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    if leader.execute(text("select pg_try_advisory_lock(7)")).scalar():
        scheduler.add_job(job, "interval", seconds=60, id="job", replace_existing=True)
        scheduler.start()
    else:
        leader.close()''',
)

OWN_GENERATOR = Fix(
    "A generator of its own in each worker, seeded by the system",
    '''\
def initializer():
    """Pool(initializer=initializer), post_fork, worker_process_init."""
    global generator
    generator = random.Random()''',
)

RETURN_ROWS = Fix(
    "What a worker returns: rows or values, no Result and nothing that holds a session",
    """\
def task(statement):
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]""",
)

NO_OPEN_SESSION = Fix(
    "No session is open at the fork, and a worker makes its own",
    '''\
def before_workers_start():
    """In the parent, right before each fork: commit first what has to be kept."""
    Session.remove()


def in_worker():
    """First thing in each forked worker."""
    global Session
    engine.dispose(close=False)
    Session = scoped_session(sessionmaker(bind=engine))''',
)

PASSED_VALUE = Fix(
    "The value is an argument",
    '''\
def initializer(value):
    """Pool(initializer=initializer, initargs=(tenant,))."""
    global tenant
    tenant = value''',
)

RESET_SIGNALS = Fix(
    "First thing in a forked worker",
    '''\
def in_worker():
    """Before anything that takes time: until then a signal for the worker reaches the parent's loop."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)''',
)

KEPT_POOL = Fix(
    "First thing in a worker that was forked from a running event loop",
    '''\
KEPT = []


def in_worker():
    """The inherited pool stays alive, so that no finalizer ends the parent's session."""
    KEPT.append(engine.sync_engine.pool)
    engine.sync_engine.dispose(close=False)''',
)

NO_FORK = Fix(
    "Workers that inherit nothing",
    'context = multiprocessing.get_context("spawn")',
)
