"""The lines that fix a finding, for the framework that the processes belong to."""

import re
from collections.abc import Iterable
from textwrap import indent

from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.evidence.inside import starter

FRAMEWORKS = ("gunicorn", "celery", "uwsgi", "rq")
"""Programs that start workers, as `harness/programs/inside` names them."""

DRIVERS = ("psycopg", "psycopg2")

DISPOSE = "engine.dispose(close=False)"

GENERAL = f"def own_connections():\n    {DISPOSE}"

CALLED = {
    "executor": "ProcessPoolExecutor(..., initializer=own_connections)",
    "apscheduler": 'ProcessPoolExecutor(2, {"initializer": own_connections})',
    "pool": "multiprocessing.Pool(..., initializer=own_connections)",
    "spawned": "# where the workers are started, one of:\n"
    "multiprocessing.Pool(..., initializer=own_connections)\n"
    "ProcessPoolExecutor(..., initializer=own_connections)",
    "airflow": "os.register_at_fork(after_in_child=own_connections)",
    "": "own_connections()  # in each worker, before its first query",
}
"""How workers call it, by what forks them."""

FIRST = {
    "process": "# first in the target of Process(target=...):",
    "fork": "# first in the child, where os.fork() returns 0:",
    "granian": "# in the target loader, which runs in each worker:",
}
"""Where lines go that need no function, by what forks."""

FLASK = """\
with app.app_context():
    for engine in db.engines.values():
        engine.dispose(close=False)"""

IMPORTS = {
    "celery": "from celery.signals import worker_process_init",
    "uwsgi": "from uwsgidecorators import postfork",
    "rq": "from rq import Worker",
}

PRELOADED = "engine.dispose()  # last in the module that is preloaded"

COMMIT = "session.commit()  # connection.commit(): before a worker starts"

END_WITH_PARENT = """\
import ctypes, signal  # the worker ends with its parent:
ctypes.CDLL(None).prctl(1, signal.SIGKILL)"""

PASSED_URL = """\
url = engine.url.render_as_string(False)  # pass this
session = sessionmaker(create_engine(url))()  # in the worker"""


def framework(commands: Iterable[str]) -> str:
    """The program that starts the workers, by command lines; empty if it is none of `FRAMEWORKS`."""
    words = {word.rpartition("/")[2] for command in commands for word in command.lower().split()}
    return next((name for name in FRAMEWORKS if name in words or f"{name}:" in words), "")


def started_by(evidence: TreeEvidence, pid: int) -> str:
    """What forked a process: as it has reported, or else by the command lines; empty if it is not known."""
    return starter(evidence.reports, pid) or framework(each.command for each in evidence.processes.values())


def in_worker(by: str, body: str, function: str = "own_connections") -> str:
    """Lines that each worker runs first, by what forks it."""
    if by in FIRST:
        return f"{FIRST[by]}\n{body}"
    if by in FRAMEWORKS:
        # Only if there is something to fix: it reads the files of programs.
        from harness.programs import head

        hook = re.sub(r": Any\b| -> None", "", head.get(by).hook)
        hook = hook.replace("worker):\n", "worker):  # gunicorn.conf.py\n")
        hook = hook.replace("(Worker):\n", "(Worker):  # --worker-class app.JobWorker\n")
        lines = "\n".join(filter(None, (IMPORTS.get(by), hook)))
    else:
        lines = f"{GENERAL}\n\n{CALLED.get(by, CALLED[''])}"
    call = re.compile(rf"(?m)^( *){re.escape(DISPOSE)}.*$")
    return call.sub(lambda match: indent(body, match[1]), lines).replace("own_connections", function)


def own_connections(by: str, place: str = "", name: str = "") -> str:
    """The lines by which each worker gets connections of its own.

    `place` says where the engine was made, and by which library; `name` what it is called, `module:engine`.
    """
    if "(Flask-SQLAlchemy)" in place:
        return in_worker(by, FLASK)
    module, _, variable = name.rpartition(":")
    body = f"{variable or 'engine'}.dispose(close=False)"
    if not name:
        body += f"  # made at {place}" if place else "  # or engine.sync_engine"
    if by == "gunicorn" and not name and not place:
        body = f"from app import engine  # your module\n{body}"
    elif by == "gunicorn" and name and not module.endswith("main__"):
        body = f"from {module} import {variable.partition('.')[0]}\n{body}"
    return in_worker(by, body)


def background(library: str, by: str) -> str:
    """The lines by which a worker gets the thread of a library."""
    if library == "psycopg_pool":
        return new_pool(by)
    if library == "apscheduler":
        body = "scheduler.start()  # only here, and in one worker only"
    elif library.startswith("logging"):
        body = (
            "handler.queue = queue.Queue()  # of the QueueHandler\n"
            "listener.__init__(handler.queue, *listener.handlers)\nlistener.start()"
        )
    else:
        body = "start_exporter()  # what starts the library's thread"
    return in_worker(by, body, "start")


def new_pool(by: str, name: str = "") -> str:
    """The lines by which a worker gets a pool of psycopg_pool of its own; `name` is that of its parent's."""
    module, _, pool = name.rpartition(":")
    if by == "gunicorn" and not name:
        body = "import app  # your module\napp.pool = ConnectionPool(...)  # as in it"
    elif module and not module.endswith("main__"):
        body = f"import {module}\n{module}.{pool} = ConnectionPool(...)  # as in the module"
    else:
        body = f"global {pool or 'pool'}\n{pool or 'pool'} = ConnectionPool(...)  # as in the parent"
    engine = f"# and create_engine(..., creator=lambda: {pool or 'pool'}.getconn())"
    return f"{in_worker(by, body, 'own_pool')}\n{engine}"


def either_pool(by: str) -> str:
    """The lines for a connection of which it is not known whether a pool of psycopg_pool has opened it."""
    return (
        f"# if the program has a ConnectionPool, of psycopg_pool:\n{new_pool(by)}\n\n"
        f"# otherwise, for an engine:\n{own_connections(by)}"
    )


def opened_by(library: str) -> str:
    """The line by which a worker gets a connection of its own that no pool makes."""
    return f"connection = {library}.connect(...)  # in each worker"


def no_fork(by: str, method: str = "forkserver") -> str:
    """The lines by which workers inherit nothing, by what forks them."""
    if by == "executor":
        return f'ProcessPoolExecutor(mp_context=get_context("{method}"))'
    if by == "gunicorn":
        return "preload_app = False  # gunicorn's default: no --preload"
    if by in ("celery", "uwsgi", "rq"):
        return "# before the workers are forked, start no thread that connects"
    return f'context = multiprocessing.get_context("{method}")  # no fork'


def lock(hazard: str, by: str = "") -> str:
    """What to do about a lock that was copied while it was held."""
    if hazard == "pool_lock":
        return own_connections(by)
    return no_fork(by, "spawn" if hazard in ("native_threads", "native_lock") else "forkserver")


def orphan(by: str = "") -> str:
    """The lines by which no session outlives the process that opened it."""
    instead = no_fork(by, "spawn").partition("  #")[0]
    either = "" if instead.startswith("#") else f"\n# or: {instead}"
    return in_worker(by, END_WITH_PARENT, "end_with_parent") + either


def one_engine(by: str) -> str:
    """The lines by which a process has one engine."""
    made = "global engine\nengine = create_engine(URL)  # here, and not in a task"
    if by in ("pool", "executor", "celery", "spawned"):
        return in_worker(by, made, "make_engine")
    return "engine = create_engine(URL)  # once a process, not in a task"


def own_generator(name: str, by: str) -> str:
    """The lines by which a worker draws its own random numbers."""
    return in_worker(by, f"{name}.seed()", "seed")


def own_signals(by: str) -> str:
    """The lines by which a worker has none of its parent's signal handlers."""
    body = """\
signal.set_wakeup_fd(-1)
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.SIG_DFL)"""
    return in_worker(by, body, "own_signals")


def kept_pool(by: str, name: str = "") -> str:
    """The lines by which a worker keeps a pool of asyncpg of which it may not end the sessions."""
    engine = f"{name.rpartition(':')[2].removesuffix('.sync_engine') or 'engine'}.sync_engine"
    return in_worker(by, f"{engine}.kept = {engine}.pool\n{engine}.dispose(close=False)")
