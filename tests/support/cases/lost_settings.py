"""A spawned worker makes its engine from the URL; the parent's has a schema and an isolation level too."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, event, text

CONNECT_ARGS = {"options": "-c search_path=tenant"}
ISOLATION_LEVEL = "REPEATABLE READ"
engine = None


def on_connect(connection, record):
    with connection.cursor() as cursor:
        cursor.execute("set time zone 'Asia/Tokyo'")
    connection.commit()


# broken: engine
def make_engine(url):
    engine = create_engine(url, connect_args=CONNECT_ARGS, isolation_level=ISOLATION_LEVEL)
    event.listen(engine, "connect", on_connect)
    return engine


def initializer(url):
    global engine
    engine = create_engine(url)


# end


def look(_=None):
    with engine.connect() as connection:
        return [
            connection.execute(text(f"show {name}")).scalar()
            for name in ("search_path", "time zone", "transaction_isolation")
        ]


if __name__ == "__main__":
    engine = make_engine(os.environ["URL"])
    parent = look()
    url = engine.url.render_as_string(hide_password=False)
    with multiprocessing.get_context("spawn").Pool(1, initializer, (url,)) as pool:
        (worker,) = pool.map(look, [0])
    print("parent", *parent, "worker", *worker)
    sys.exit(0 if worker == parent == ["tenant", "Asia/Tokyo", "repeatable read"] else 1)
