"""The lines that fix a finding, for the framework that the processes belong to."""

import re
from collections.abc import Iterable
from textwrap import indent

FRAMEWORKS = ("gunicorn", "celery", "uwsgi", "rq")
"""Programs that start workers, as `harness/programs/inside` names them."""

DRIVERS = ("psycopg", "psycopg2")

GENERAL = """\
def own_connections():  # in each worker, before its first query
    engine.dispose(close=False)  # every engine; of an AsyncEngine: sync_engine"""

CALLED = {
    "executor": "ProcessPoolExecutor(..., initializer=own_connections)",
    "pool": "multiprocessing.Pool(..., initializer=own_connections)",
    "process": "own_connections()  # first, in the target of Process(target=...)",
    "fork": "if os.fork() == 0:\n    own_connections()",
    "granian": "own_connections()  # in the target loader, which runs in each worker",
    "airflow": "os.register_at_fork(after_in_child=own_connections)",
}
"""How workers call it, by what forks them."""

FLASK = """\
with app.app_context():
    for engine in db.engines.values():
        engine.dispose(close=False)"""

IMPORTS = {
    "celery": "from celery.signals import worker_process_init",
    "uwsgi": "from uwsgidecorators import postfork",
}

PRELOADED = """\
engine.dispose()                    # the last line of the module that the fork server preloads"""


def framework(commands: Iterable[str]) -> str:
    """The program that starts the workers, by command lines; empty if it is none of `FRAMEWORKS`."""
    words = {word.rpartition("/")[2] for command in commands for word in command.lower().split()}
    return next((name for name in FRAMEWORKS if name in words or f"{name}:" in words), "")


def for_framework(name: str) -> str:
    """The lines by which each worker gets connections of its own."""
    if not name:
        return GENERAL
    # Only if there is something to fix: it reads the files of programs.
    from harness.programs import head

    hook = re.sub(r": Any\b| -> None", "", head.get(name).hook)
    return "\n".join(filter(None, (IMPORTS.get(name, ""), hook))) or GENERAL


def own_connections(by: str, engine: str = "") -> str:
    """The same, for what forks the workers; `engine` says where the engine was made, and by which library."""
    lines = for_framework(by if by in FRAMEWORKS else "")
    if lines == GENERAL:
        lines = f"{GENERAL}\n\n{CALLED.get(by, CALLED['pool'])}"
    if "(Flask-SQLAlchemy)" in engine:
        call = re.compile(r"(?m)^( *)engine\.dispose\(close=False\).*$")
        lines = call.sub(lambda match: indent(FLASK, match[1]), lines)
    return lines


def background(library: str, by: str) -> str:
    """The lines by which a worker gets the thread of a library."""
    if library == "psycopg_pool":
        module, call = (
            "pool = ConnectionPool(..., open=False)  # in the module",
            "pool.open()",
        )
    elif library == "apscheduler":
        module, call = "", "scheduler.start()   # in one worker only, or in a process of its own"
    elif library.startswith("logging"):
        module, call = "", "listener.start()"
    else:
        module, call = "", "start_exporter()    # what starts the library's thread"
    if by == "gunicorn":
        lines = f"def post_fork(server, worker):\n    {call}"
    elif by == "celery":
        lines = f"@worker_process_init.connect\ndef start(**kwargs):\n    {call}"
    elif by == "uwsgi":
        lines = f"@postfork\ndef start():\n    {call}"
    else:
        lines = f"{call}   # in each worker, before its first use"
    return "\n".join(filter(None, (module, lines)))


def opened_by(library: str) -> str:
    """The line by which a worker gets a connection of its own that no pool makes."""
    return f"connection = {library}.connect(...)  # one of its own in each worker"


def lock(hazard: str) -> str:
    """What to do about a lock that was copied while it was held."""
    if hazard in ("native_threads", "native_lock"):
        return 'multiprocessing.get_context("spawn")  # or fork before any thread connects'
    if hazard == "pool_lock":
        return GENERAL
    return 'multiprocessing.get_context("forkserver")  # or fork before any thread'


def orphan() -> str:
    return """\
multiprocessing.get_context("spawn")  # holds no copies of sockets
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # or: it ends with its parent"""
