"""Each worker of a server adds the same job to a scheduler, whose jobs are in a table."""

import multiprocessing
import os
import sys

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"])
scheduler = None


def job():
    pass


# broken: scheduler
def start_scheduler():
    scheduler.add_job(job, "interval", seconds=60, id="job")
    scheduler.start()


# end


def work(answer, begun, over):
    global scheduler
    scheduler = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(engine=engine)})
    try:
        start_scheduler()
        answer.put("runs" if scheduler.running else "does not run")
    except Exception as error:
        answer.put(f"{type(error).__module__}.{type(error).__name__}: {error}")
    begun.release()
    over.wait()


if __name__ == "__main__":
    with engine.begin() as connection:
        connection.execute(text("drop table if exists apscheduler_jobs"))
    context = multiprocessing.get_context("spawn")
    answer, begun, over = context.SimpleQueue(), context.Semaphore(0), context.Event()
    for _ in range(2):
        context.Process(target=work, args=(answer, begun, over), daemon=True).start()
        begun.acquire()  # one after the other: the table is there for the second
    seen = [answer.get() for _ in range(2)]
    over.set()
    print(*seen)
    sys.exit(0 if sorted(seen) == ["does not run", "runs"] else 1)
