"""Two engines that the parent has used, and a forked worker that uses both."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, make_url, text

URL = make_url(os.environ["URL"])
if os.environ.get("DRIVER"):
    URL = URL.set(drivername=os.environ["DRIVER"])
orders, reports = create_engine(URL), create_engine(URL)


# broken: workers
def every_engine():
    return [orders]


def own_connections(engines):
    for engine in engines:
        engine.dispose(close=False)


# end


def backends(times):
    found = []
    for engine in (orders, reports):
        with engine.begin() as connection:
            for _ in range(times):
                backend = connection.execute(text("select pg_backend_pid()")).scalar()
            found.append(backend)
    return found


def work(engines, answer):
    own_connections(engines)
    try:
        answer.put(backends(8))
    except Exception as error:
        answer.put(f"{type(error).__module__}.{type(error).__name__}: {error}")


if __name__ == "__main__":
    parent = backends(2)
    context = multiprocessing.get_context("fork")
    answer = context.SimpleQueue()
    worker = context.Process(target=work, args=(every_engine(), answer))
    worker.start()
    seen = answer.get()
    worker.join()
    if isinstance(seen, str):
        sys.exit(seen)
    print("parent", *parent, "worker", *seen)
    try:
        backends(8)
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
    sys.exit(f"both use backend {parent[1]}" if set(parent) & set(seen) else 0)
