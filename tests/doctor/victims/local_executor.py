"""A scheduler with a process of its own, as Airflow's LocalExecutor: it takes tasks from a queue."""

import multiprocessing
from typing import Any

from common import BROKEN, URL, ready
from sqlalchemy import create_engine, text
from sqlalchemy.orm import scoped_session, sessionmaker

engine = create_engine(URL)
Session = scoped_session(sessionmaker(engine))


def run(tasks: Any) -> None:
    if not BROKEN:
        engine.dispose(close=False)
    while True:
        tasks.get()
        Session.execute(text("select 1"))
        Session.remove()


if __name__ == "__main__":
    Session.execute(text("select 1"))
    Session.remove()
    context = multiprocessing.get_context("fork")
    tasks = context.SimpleQueue()
    worker = context.Process(target=run, args=(tasks,), daemon=True)
    worker.start()
    for number in range(100_000):
        tasks.put(number)
        if number == 10:
            ready()
        worker.join(0.02)
