"""`gunicorn --preload`, with an application that queries the database when it is imported."""

from collections.abc import Callable
from typing import Any

from common import BROKEN, URL, query
from sqlalchemy import create_engine

engine = create_engine(URL)
workers = 2


def post_fork(server: Any, worker: Any) -> None:
    """gunicorn reads its settings from this file as well."""
    if not BROKEN:
        import gunicorn_preload

        gunicorn_preload.engine.dispose(close=False)


def app(environment: Any, start_response: Callable[..., Any]) -> list[bytes]:
    query(engine)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"row"]


if __name__ == "__main__":
    from served import serve_with_gunicorn

    serve_with_gunicorn("gunicorn_preload")
elif __name__ == "gunicorn_preload":
    query(engine)
