"""The lines that fix a finding, for the framework that the processes belong to."""

from harness.doctor.evidence.evidence import Evidence

GENERAL = """\
def own_connections():                 # in each worker, before its first query
    engine.dispose(close=False)        # every engine of the process, an AsyncEngine's .sync_engine

multiprocessing.Pool(..., initializer=own_connections)"""

PRELOADED = """\
engine.dispose()                       # the last line of the module that the fork server preloads"""


def framework(evidence: Evidence) -> str:
    """The program that starts the workers, as `harness/programs/inside` names it; empty if unknown."""
    commands = " ".join(process.command for process in evidence.processes.values()).lower()
    return next(
        (
            name
            for name in ("gunicorn", "celery", "uwsgi", "rq")
            if name in commands.split() or f"/{name}" in commands or f"{name} " in commands
        ),
        "",
    )


def own_connections(evidence: Evidence, opener: int) -> str:
    """The lines by which each worker gets connections of its own."""
    process = evidence.processes.get(opener)
    if process and "forkserver" in process.command:
        return PRELOADED
    if name := framework(evidence):
        from harness.programs import head

        return head.get(name).hook or GENERAL
    return GENERAL


def lock(hazard: str) -> str:
    if hazard == "native_threads":
        return 'multiprocessing.get_context("spawn")'
    if hazard == "pool_lock":
        return GENERAL
    return 'multiprocessing.get_context("forkserver")   # or start the workers before any thread'


def orphan() -> str:
    return "close the parent's sockets in the worker, or start it by spawn or forkserver"
