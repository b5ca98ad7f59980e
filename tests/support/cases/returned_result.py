"""A worker of a pool returns the result of a query."""

import multiprocessing
import os

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"])


# broken: task
def task(statement):
    with engine.connect() as connection:
        return connection.execute(statement)


# end


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(task, (text("select 1"),)))
