# /// script
# dependencies = ["apscheduler==3.11.3"]
#
# [tool.poolstart]
# title = "APScheduler, process pool"
# link = "https://apscheduler.readthedocs.io/en/3.x/modules/executors/pool.html"
# count = "ProcessPoolExecutor({workers})"
# clock = "the call of `add_job`, in a running program with a warm engine"
# besides = """
# The scheduler is a thread: in a process that is forked afterwards (gunicorn's `preload_app`, Celery, \
# uWSGI) it does not run, and no job does, without an error. Start it in one process, after the fork. If \
# each of several workers starts one, each job runs as often."""
# ///
"""APScheduler, which runs its jobs in forked workers, started by the scheduler's thread."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache, partial
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import ProcessPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from harness.programs.inside.common.database import engine, row, warm

warm()

waiting: dict[str, "Future[Any]"] = {}


# hook
def own_connections() -> None:
    engine.dispose(close=False)


# end of hook
def finished(event: JobExecutionEvent) -> None:
    if event.exception:
        waiting[event.job_id].set_exception(event.exception)
    else:
        waiting[event.job_id].set_result(event.retval)


@cache
def scheduler() -> BackgroundScheduler:
    options: dict[str, Any] = {"mp_context": multiprocessing.get_context("fork")}
    options["initializer"] = own_connections  # hook
    made = BackgroundScheduler(
        executors={"default": ProcessPoolExecutor(2, options)},
        # On a busy machine a job is run late, not left out.
        job_defaults={"misfire_grace_time": None},
    )
    made.add_listener(finished, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    made.start()
    return made


def ask(token: str) -> Callable[[], Any]:
    waiting[token] = Future()
    scheduler().add_job(row, args=[token], id=token)
    # The job of a worker that is killed is lost, and no event says so.
    return partial(waiting[token].result, 20)
