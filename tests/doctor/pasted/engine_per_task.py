"""A worker makes an engine in each task, and has more sessions after each."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, make_url, text

URL = make_url(os.environ["VICTIM_URL"]).update_query_dict({"application_name": "pasted_engines"})
COUNT = text("select count(*) from pg_stat_activity where application_name = 'pasted_engines'")


# paste
engine = None
# end


def task(_):
    with (engine or create_engine(URL)).connect() as connection:
        return connection.execute(COUNT).scalar()


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        sys.exit(max(pool.map(task, range(30), chunksize=1)) > 1)
