# /// script
# dependencies = ["distributed==2026.8.0"]
#
# [tool.poolstart]
# title = "Dask distributed"
# link = "https://distributed.dask.org/en/stable/plugins.html#worker-plugins"
# start = [
#     "dask", "worker", "tcp://{address}:{port}", "--nworkers", "{each}", "--nthreads", "1", "--no-dashboard",
# ]
# on_host = []
# clock = "the call of `dask worker`; the scheduler has the task"
# ///
"""Dask distributed: the scheduler is the client's, its workers have nannies, which spawn them.

Workers import this module to have the plugin, and so do what it does when it is imported.
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
    """The client, and the scheduler."""
    host, port = os.environ["ADDRESS"], int(os.environ["PORT"])
    made = Client(LocalCluster(n_workers=0, host=host, scheduler_port=port, dashboard_address=None))
    made.register_plugin(OwnEngine())  # hook
    return made


def ask(token: str) -> Callable[[], Any]:
    if prepare().futures:
        # Else it would be in line behind the first one.
        prepare().wait_for_workers(2)
    future = prepare().submit(task, token)  # hook
    future = prepare().submit(row, token, engine)  # without the hook
    return future.result  # type: ignore[no-any-return]
