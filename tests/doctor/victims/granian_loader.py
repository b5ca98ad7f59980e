"""granian in a program that has queried the database: up to Python 3.13 it forks its workers."""

import multiprocessing
import sys
from collections.abc import Callable
from typing import Any

from common import BROKEN, URL, query
from sqlalchemy import create_engine

engine = create_engine(URL)


def app(environment: Any, start_response: Callable[..., Any]) -> list[bytes]:
    query(engine)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"row"]


def load(_: str) -> Any:
    """In each worker."""
    if not BROKEN:
        engine.dispose(close=False)
    return app


if __name__ == "__main__" and len(sys.argv) == 1:
    from served import free_port, serve

    port = free_port()
    serve([sys.executable, __file__, str(port)], port)
elif __name__ == "__main__":
    from granian import Granian

    query(engine)
    # As it is up to 3.13.
    multiprocessing.set_start_method("fork")
    Granian("app", port=int(sys.argv[1]), interface="wsgi", workers=2, log_enabled=False).serve(
        target_loader=load
    )
