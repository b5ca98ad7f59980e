"""A pool of psycopg_pool that the master of gunicorn has opened, or each worker."""

from collections.abc import Callable
from typing import Any

from common import BROKEN, URL, query
from psycopg_pool import ConnectionPool
from sqlalchemy import NullPool, create_engine

pool = ConnectionPool(URL.replace("+psycopg2", ""), open=False, min_size=1, max_size=2, close_returns=True)
engine = create_engine("postgresql+psycopg://", poolclass=NullPool, creator=lambda: pool.getconn())
workers = 2


def post_fork(server: Any, worker: Any) -> None:
    """gunicorn reads its settings from this file as well."""
    if not BROKEN:
        import threaded_pool

        threaded_pool.pool.open()


def app(environment: Any, start_response: Callable[..., Any]) -> list[bytes]:
    query(engine)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"row"]


if __name__ == "__main__":
    from served import serve_with_gunicorn

    serve_with_gunicorn("threaded_pool")
elif __name__ == "threaded_pool" and BROKEN:
    pool.open(wait=True)
    query(engine)
