"""A pool's own thread replaces a worker while another thread imports a module."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Hung, Parent
from harness.hazards.inside.worker import Worker

MODULE = "harness.hazards.fixtures.imported_slowly"

IMPORTLIB = "<frozen importlib._bootstrap>"
"""The file of the functions that take the lock of a module."""

MEANWHILE: list[Callable[[], object]] = []
"""What happens in the parent before the import of the module ends; in a worker nothing does."""


def use_module(worker: Worker) -> None:
    importlib.import_module(MODULE)


def reproduce(parent: Parent) -> bool:
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(parent.start, use_module)
        MEANWHILE.append(starting.result)
        importlib.import_module(MODULE)
        worker = starting.result()
    parent.tell(
        "parent", "Imports a module; meanwhile another thread starts a worker, as one of a pool would."
    )
    parent.tell("server", "Nothing: no database takes part.")
    try:
        worker.answer()
    except Hung as hung:
        if not hung.inside(IMPORTLIB):
            raise RuntimeError(f"the worker hangs, but not in an import: {hung}") from None
        parent.tell("worker", f"Imports that module too, and waits for the parent's import to end: {hung}.")
        parent.tell("user", "A worker that hangs in an import, although the parent has the module by now.")
        return True
    parent.tell("worker", "Imports that module too, for itself.")
    parent.tell("user", "Nothing unusual.")
    return False


HAZARD = Hazard(
    id="import_lock",
    title="A worker that starts during an import",
    description=(
        "While a module is imported its lock is held by the thread that imports it. A fork at that moment"
        " copies the lock as held, and the half of the module that is there. Python makes the lock of the"
        " import system as a whole anew in the child, but not those of the modules: when the worker imports"
        " the same one, it waits for a thread it does not have. No thread of the program's own is needed: a"
        " pool replaces a worker that has reached maxtasksperchild, or has died, from a thread, and unpickles"
        " results, which imports what they need, in another."
    ),
    symptom=(
        "Pool(maxtasksperchild=...) stops now and then; py-spy shows a new worker in acquire"
        " (<frozen importlib._bootstrap>)."
    ),
    affected_when="The worker waits in the import of a module that the parent has long imported.",
    avoidance=(
        "Import at the top of the main module what tasks and their results need, before the pool is made; or"
        ' use get_context("spawn").Pool(...) or "forkserver", whose workers import for themselves.'
    ),
    severity=Severity.HANG,
    messages=(
        "acquire (<frozen importlib._bootstrap>",
        "multi-threaded, use of fork() may lead to deadlocks in the child",
    ),
    links=("https://github.com/python/cpython/issues/93580",),
    reproduce=reproduce,
    affected_control="fork_dispose",
    survives_control="spawn",
    follows_releases=False,
)
