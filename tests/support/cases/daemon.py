"""A program that has used its engine becomes a daemon, which closes all descriptors."""

import os
import sys

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"])


# broken: workers
def every_engine():
    return []


def own_connections(engines):
    pass


# end


def query():
    with engine.connect() as connection:
        return connection.execute(text("select 1")).scalar()


if __name__ == "__main__":
    query()
    engines = every_engine()
    if pid := os.fork():
        _, status = os.waitpid(pid, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
    os.closerange(3, 1024)
    if os.environ.get("LOG"):
        log = [os.open(os.devnull, os.O_WRONLY) for _ in range(40)]  # one gets the number of the socket
    own_connections(engines)
    try:
        query()
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        os._exit(1)
    os._exit(0)
