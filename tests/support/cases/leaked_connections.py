"""Requests that keep their connections, in a process that was never forked."""

import os
import sys

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"], pool_size=2, max_overflow=0, pool_timeout=0.1)
requests = []


# broken: work
def work():
    connection = engine.connect()
    requests.append(connection)
    return connection.execute(text("select 1")).scalar()


# end


if __name__ == "__main__":
    try:
        for _ in range(3):
            work()
    except Exception as error:
        print(engine.pool.status())
        sys.exit(f"{type(error).__name__}: {error}")
