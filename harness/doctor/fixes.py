"""The lines that fix a finding, for the framework that the processes belong to."""

from collections.abc import Iterable

FRAMEWORKS = ("gunicorn", "celery", "uwsgi", "rq")
"""Programs that start workers, as `harness/programs/inside` names them."""

GENERAL = """\
def own_connections():              # in each worker, before its first query
    engine.dispose(close=False)     # every engine of the process; of an AsyncEngine, its sync_engine

multiprocessing.Pool(..., initializer=own_connections)"""

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

    return head.get(name).hook or GENERAL


def lock(hazard: str) -> str:
    """What to do about a lock that was copied while it was held."""
    if hazard == "native_threads":
        return 'multiprocessing.get_context("spawn")'
    if hazard == "pool_lock":
        return GENERAL
    return 'multiprocessing.get_context("forkserver")   # or start the workers before any thread'


def orphan() -> str:
    return "close the parent's sockets in the worker, or start it by spawn or forkserver"
