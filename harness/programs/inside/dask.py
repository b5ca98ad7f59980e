# /// script
# dependencies = ["distributed==2026.8.0"]
#
# [tool.poolstart]
# title = "Dask distributed"
# link = "https://distributed.dask.org/en/stable/plugins.html#worker-plugins"
# starts = "load"
# count = "dask worker --nworkers {workers}"
# start = [
#     "dask", "worker", "tcp://{address}:{port}", "--nworkers", "{each}", "--nthreads", "1", "--no-dashboard",
# ]
# on_host = []
# clock = "the call of `dask worker`, with the task waiting in the scheduler"
# ///
"""Dask distributed: the client runs the scheduler, and nannies spawn the workers.

Workers import this module for the plugin, so they run its module-level code as well.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

from distributed import Client, LocalCluster, WorkerPlugin, get_worker
from sqlalchemy import create_engine

from harness.programs.inside.common.database import URL, engine, row, warm

warm()


# hook
class OwnEngine(WorkerPlugin):
    def setup(self, worker: Any) -> None:
        worker.engine = create_engine(URL)


def task(token: str) -> Any:
    return row(token, get_worker().engine)


# end of hook
@cache
def prepare() -> Any:
    """Start the scheduler, and connect a client to it."""
    host, port = os.environ["ADDRESS"], int(os.environ["PORT"])
    client = Client(LocalCluster(n_workers=0, host=host, scheduler_port=port, dashboard_address=None))
    client.register_plugin(OwnEngine())  # hook
    return client


def ask(token: str) -> Callable[[], Any]:
    if prepare().futures:
        # Otherwise the second task would be queued behind the first.
        prepare().wait_for_workers(2)
    future = prepare().submit(task, token)  # hook
    future = prepare().submit(row, token, engine)  # without the hook
    return future.result  # type: ignore[no-any-return]
