"""The errors of drivers and of SQLAlchemy: their kind, never their text."""

from __future__ import annotations

import os
import sys

import poolstart_watch as watch
from poolstart_frames import place, safe_place
from poolstart_watch import State, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MESSAGES = (
    ("terminating connection due to idle", "idle_cut"),
    ("server closed the connection unexpectedly", "cut"),
    ("SSL connection has been closed unexpectedly", "cut"),
    ("SSL SYSCALL error: EOF detected", "cut"),
    ("too many clients already", "max_connections"),
    ("remaining connection slots are reserved", "max_connections"),
    ("pg_type_typname_nsp_index", "startup_race"),
    ("pg_class_relname_nsp_index", "startup_race"),
    ("pg_namespace_nspname_index", "startup_race"),
    ('prepared statement "_pg3_', "pooler_session"),
    ('prepared statement "__asyncpg_', "pooler_session_asyncpg"),
)
"""Parts of error messages, and the kind that is reported. Nothing else of the message is reported."""


def listen() -> None:
    drivers()
    refusals()


def drivers() -> None:
    """Not by the event `handle_error`: if an engine has a listener, each query looks for other listeners."""
    kind = sys.modules["sqlalchemy.engine"].Connection
    handle, without = kind._handle_dbapi_exception, kind._handle_dbapi_exception_noconnection.__func__
    hook = watch._safely(failed)

    def _handle_dbapi_exception(self: Any, error: Any, *arguments: Any, **options: Any) -> Any:
        hook(error, self)
        return handle(self, error, *arguments, **options)

    def _handle_dbapi_exception_noconnection(cls: Any, error: Any, *arguments: Any, **options: Any) -> Any:
        # After a ping has failed, the connection is replaced.
        if not options.get("is_pre_ping"):
            hook(error, None)
        return without(cls, error, *arguments, **options)

    kind._handle_dbapi_exception = _handle_dbapi_exception
    kind._handle_dbapi_exception_noconnection = classmethod(_handle_dbapi_exception_noconnection)


def refusals() -> None:
    """SQLAlchemy refuses a session that another thread or task is using."""
    kind: Any = sys.modules["sqlalchemy.exc"].InvalidRequestError
    made, hook = kind.__init__, watch._safely(report)

    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        if options.get("code") == "isce":
            hook("error", kind="shared_by_threads", own=True, place=safe_place())
        made(self, *arguments, **options)

    kind.__init__ = __init__


def failed(error: Any, connection: Any) -> None:
    """Report the kind of a driver's error, and whether this process opened the connection."""
    message = str(error)
    kind = next((kind for part, kind in MESSAGES if part in message), "")
    if kind:
        proxied = getattr(connection, "_dbapi_connection", None)
        opened = State.opened.get(getattr(proxied, "_connection_record", None)) if proxied else None
        own = opened is None or opened.pid == os.getpid()
        where, inode = (opened.place, opened.inode) if opened else ("", -1)
        report("error", kind=kind, own=own, opened=where, place=place(), inode=inode)
