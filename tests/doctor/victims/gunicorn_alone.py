"""gunicorn without `--preload`: each worker imports the application, and makes its own engine."""

import sys
from collections.abc import Callable
from typing import Any

from common import URL, query
from sqlalchemy import create_engine

engine = create_engine(URL)
workers = 2


def app(environment: Any, start_response: Callable[..., Any]) -> list[bytes]:
    query(engine)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"row"]


if __name__ == "__main__":
    from served import free_port, serve

    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    serve([*command, "--log-level", "error", "gunicorn_alone:app"], port)
elif __name__ == "gunicorn_alone":
    query(engine)
