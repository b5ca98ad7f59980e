"""A pool's own thread replaces a worker while another thread imports a module."""

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from harness.hazards.conditions import ONE_THREAD
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.hazards.inside.worker import Worker

MODULE = "harness.hazards.fixtures.imported_slowly"

IMPORTLIB = "<frozen importlib._bootstrap>"
"""The file of the functions that acquire the lock of a module."""

MEANWHILE: list[Callable[[], object]] = []
"""Functions that the module calls while the parent imports it; in a worker the list is empty."""


def use_module(worker: Worker) -> None:
    importlib.import_module(MODULE)


def reproduce(parent: Parent) -> bool:
    if parent.keeps_condition:
        # In a program with one thread, the import is over before a worker starts.
        importlib.import_module(MODULE)
        return bool(parent.start(use_module).hang())
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(parent.start, use_module)
        MEANWHILE.append(starting.result)
        importlib.import_module(MODULE)
        worker = starting.result()
    parent.tell(
        "parent", "Imports a module; meanwhile another thread starts a worker, as a pool's own would."
    )
    parent.tell("server", "Nothing: no database is involved.")
    if hang := worker.hang(IMPORTLIB):
        parent.tell("worker", f"Imports that module too, and waits for the parent's import to end: {hang}.")
        parent.tell("user", "A worker that hangs in an import, although the parent has the module by now.")
        return True
    parent.tell("worker", "Imports that module too, for itself.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="import_lock",
    title="A worker that starts during an import",
    description=(
        "While a module is being imported, the importing thread holds the module's lock. A fork at that"
        " moment copies the lock as held, and the half-imported module. Python reinitializes the global"
        " import lock in the child, but not the locks of single modules: if the worker imports the same"
        " module, it waits for a thread that it does not have. The program needs no threads of its own for"
        " this: a multiprocessing.Pool replaces a worker that has reached maxtasksperchild, or has died, from"
        " one thread, and unpickles results, which imports the modules they need, in another."
    ),
    symptom=(
        "Pool(maxtasksperchild=...) hangs now and then; py-spy shows a new worker in acquire (<frozen"
        " importlib._bootstrap>)."
    ),
    affected_when="The worker waits in the import of a module that the parent finished importing long ago.",
    avoidance=(
        "Import what tasks and their results need at the top of the main module, before the pool is created;"
        ' or use get_context("spawn").Pool(...) or "forkserver", whose workers import for themselves.'
    ),
    severity=Severity.HANG,
    messages=(
        "acquire (<frozen importlib._bootstrap>",
        "multi-threaded, use of fork() may lead to deadlocks in the child",
    ),
    links=("https://github.com/python/cpython/issues/93580",),
    condition=ONE_THREAD,
    affected_control="fork_dispose",
    survives_control="spawn",
    follows_releases=False,
)
