"""`uvicorn --workers`, which spawns its workers: nothing is inherited, whether they are treated or not."""

from typing import Any

from common import BROKEN, URL, query
from sqlalchemy import create_engine

engine = create_engine(URL)


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    query(engine)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"row"})


if __name__ == "__main__":
    from served import free_port, serve

    port = free_port()
    command = ["uvicorn", "--workers", "2", "--port", str(port), "--log-level", "error"]
    serve([*command, "uvicorn_workers:app"], port)
else:
    query(engine)
    if not BROKEN:
        engine.dispose(close=False)
