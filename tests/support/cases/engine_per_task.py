"""A worker of a pool does one thing at a time, and has more sessions after each task."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, make_url, text

URL = make_url(os.environ["URL"]).update_query_dict({"application_name": "engine_per_task"})
engine = None


# broken: engine
def initializer(url):
    pass


# end


def task(_):
    used = engine or create_engine(URL, pool_size=1, max_overflow=0)
    with used.connect() as connection:
        sessions = text("select count(*) from pg_stat_activity where application_name = 'engine_per_task'")
        return connection.execute(sessions).scalar()


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1, initializer, (URL,)) as pool:
        sessions = pool.map(task, range(20), chunksize=1)
    print("sessions after each task:", *sessions)
    sys.exit(0 if max(sessions) == 1 else 1)
