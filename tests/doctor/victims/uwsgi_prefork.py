"""uWSGI with its defaults: the application is loaded before the workers are forked."""

from collections.abc import Callable
from typing import Any

from common import BROKEN, URL, query
from sqlalchemy import create_engine

engine = create_engine(URL)


def app(environment: Any, start_response: Callable[..., Any]) -> list[bytes]:
    query(engine)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"row"]


if __name__ == "__main__":
    from served import free_port, serve

    port = free_port()
    command = ["uwsgi", "--http-socket", f"127.0.0.1:{port}", "--master", "--processes", "2"]
    serve(
        [*command, "--module", "uwsgi_prefork:app", "--need-app", "--die-on-term", "--disable-logging"], port
    )
else:
    query(engine)
    if not BROKEN:
        from uwsgidecorators import postfork

        @postfork
        def own_connections() -> None:
            engine.dispose(close=False)
