# /// script
# dependencies = ["joblib==1.6.0"]
#
# [tool.poolstart]
# title = "joblib, loky"
# link = "https://joblib.readthedocs.io/en/stable/generated/joblib.Parallel.html"
# starts = "load"
# count = "n_jobs={workers}"
# clock = "the call of `Parallel()`, in a running program with a warm engine"
# ///
"""joblib with loky, its default backend: workers are new interpreters that import the modules of tasks."""

from collections.abc import Callable
from typing import Any

from joblib import Parallel, delayed
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from harness.programs.inside.common.database import URL, engine, row, warm

warm()

worker_engine: Engine


# hook
def own_engine() -> None:
    global worker_engine
    worker_engine = create_engine(URL)


def task(token: str) -> Any:
    return row(token, worker_engine)


# end of hook
def ask(token: str) -> Callable[[], Any]:
    parallel = Parallel(
        n_jobs=2,
        initializer=own_engine,  # hook
    )
    call = delayed(task)(token)  # hook
    call = delayed(row)(token, engine)  # without the hook
    return lambda: parallel([call])[0]
