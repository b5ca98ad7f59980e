# /// script
# dependencies = []
#
# [tool.poolstart]
# title = "concurrent.futures.ProcessPoolExecutor"
# link = "https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor"
# count = "max_workers={workers}"
# replaced = "max_tasks_per_child=1"
# clock = "the call of `ProcessPoolExecutor()`, in a running program with a warm engine"
# ///
"""`ProcessPoolExecutor` with forked workers."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

from harness.programs.inside.common.database import TASKS, engine, row, warm

warm()


# hook
def own_connections() -> None:
    engine.dispose(close=False)


# end of hook
@cache
def executor() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=2,
        # ProcessPoolExecutor refuses max_tasks_per_child under fork.
        mp_context=multiprocessing.get_context("spawn" if TASKS else "fork"),
        max_tasks_per_child=TASKS,
        initializer=own_connections,  # hook
    )


def ask(token: str) -> Callable[[], Any]:
    return executor().submit(row, token).result
