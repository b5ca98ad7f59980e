"""A parent's use of its connections, with the error if a call fails or never returns."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.drivers import Driver
from harness.hazards.inside import worker

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

PARENT_SILENCE = 5.0
"""Seconds after which a query of the parent, which takes milliseconds, counts as hung."""

NO_ANSWER = "The parent's query never returns."


class ServerSession:
    """A connection of the parent, as pool, driver and server know it."""

    def __init__(self, driver: Driver, pooled: Any, backend: int, run: Callable[..., Any]) -> None:
        """`pooled` is the pool's proxy of the connection; `run` calls a function as the driver needs it."""
        self._driver = driver
        self._record = pooled._connection_record
        self.raw = dbapi_connection(self._record)
        self.backend = backend
        self._run = run

    @property
    def closed(self) -> bool:
        """Whether the parent's own pool has closed it, so that nothing is shared."""
        return dbapi_connection(self._record) is not self.raw

    def error(self) -> str:
        """Query over it, and return the error; empty if it answers as before, or the parent has closed it.

        The query comes after anything that a worker has sent over the same socket.
        """
        if self.closed:
            return ""
        backend, error = attempt(lambda: self._run(self._query))
        return error or ("" if backend == self.backend else f"backend {backend} answered for {self.backend}")

    def _query(self) -> int:
        cursor = self.raw.cursor()
        cursor.execute("select pg_backend_pid()")
        (backend,) = cursor.fetchone()
        cursor.close()
        self.raw.rollback()
        return int(backend)

    @property
    def descriptor(self) -> int:
        """The number of its socket's descriptor."""
        return self._driver.descriptor(getattr(self.raw, "driver_connection", self.raw))


def dbapi_connection(record: Any) -> Any:
    """The connection of a record of the pool, whose attribute was called `connection` until 1.4.24."""
    return record.dbapi_connection if hasattr(record, "dbapi_connection") else record.connection


def attempt(action: Callable[[], Any]) -> tuple[Any, str]:
    """Call `action` in the parent; return its result and its error, which is empty if it succeeds.

    The error is `NO_ANSWER` if the call never returns.
    """
    results: queue.SimpleQueue[tuple[Any, str]] = queue.SimpleQueue()

    def act() -> None:
        try:
            results.put((action(), ""))
        except Exception as error:
            results.put((None, worker.plain(error)))

    threading.Thread(target=act, daemon=True).start()
    try:
        return results.get(timeout=PARENT_SILENCE)
    except queue.Empty:
        return None, NO_ANSWER


def wrong_row(engine: Engine) -> str:
    """Let the parent query its own name; return the wrong name or the error, empty if the answer is right."""

    def own_name() -> str:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("select 'parent'").scalar())

    name, error = attempt(own_name)
    return error or ("" if name == "parent" else f"select 'parent' returned {name[:20]!r}")
