"""A transaction that is left open holds a row; a worker that shares nothing waits for it."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, make_url, text

URL = make_url(os.environ["URL"]).update_query_dict({"application_name": "holder"})

# broken: engine
engine = create_engine(URL)
# end
if os.environ.get("SHORT"):  # the limit of a test
    LIMITS = LIMITS.replace("10s", "100ms")  # noqa: F821
    engine = create_engine(URL, connect_args={"options": LIMITS})

WAITING = text("select count(*) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0")


def work(answer):
    try:
        with engine.begin() as connection:
            connection.execute(text("update lock_wait set state = 'done'"))
    except Exception as error:
        answer.put(f"{type(error).__name__}: {error}")


def look():
    while True:
        with engine.connect() as connection:
            if connection.execute(WAITING).scalar():
                return


if __name__ == "__main__":
    with engine.begin() as connection:
        connection.execute(text("drop table if exists lock_wait; create table lock_wait (state text)"))
        connection.execute(text("insert into lock_wait values ('ordered')"))
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    worker = context.Process(target=work, args=(answer,), daemon=True)
    with engine.connect() as holder:
        holder.execute(text("update lock_wait set state = 'mine'"))
        worker.start()
        if os.environ.get("SHORT"):
            print(answer.get())
            sys.exit()
        look()
        exec(os.environ["REPORT"])
        worker.kill()
    sys.exit("the worker waits in a query, and so would a join() of the parent")
