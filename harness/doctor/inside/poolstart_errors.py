"""The errors of drivers and of SQLAlchemy: their kind, never their text."""

from __future__ import annotations

import os
import sys

from poolstart_frames import place
from poolstart_hooks import before
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
    """Not by the event `handle_error`: if an engine has a listener, each query looks for other listeners."""
    kind = sys.modules["sqlalchemy.engine"].Connection
    before(kind, "_handle_dbapi_exception", failed)
    before(kind, "_handle_dbapi_exception_noconnection", failed_without)
    # A class method, which is bound by now.
    kind._handle_dbapi_exception_noconnection = staticmethod(kind._handle_dbapi_exception_noconnection)
    before(sys.modules["sqlalchemy.exc"].InvalidRequestError, "__init__", refused)


def failed(connection: Any, error: Any, *_: Any, **__: Any) -> None:
    """Report the kind of a driver's error, and whether this process opened the connection."""
    message = str(error)
    kind = next((kind for part, kind in MESSAGES if part in message), "")
    if kind:
        proxied = getattr(connection, "_dbapi_connection", None)
        opened = State.opened.get(getattr(proxied, "_connection_record", None)) if proxied else None
        own = opened is None or opened.pid == os.getpid()
        where, inode = (opened.place, opened.inode) if opened else ("", -1)
        report("error", kind=kind, own=own, opened=where, place=place(), inode=inode)


def failed_without(error: Any, *_: Any, is_pre_ping: bool = False, **__: Any) -> None:
    # After a ping has failed, the connection is replaced.
    if not is_pre_ping:
        failed(None, error)


def refused(error: Any, *_: Any, code: str = "", **__: Any) -> None:
    """SQLAlchemy refuses a session that another thread or task is using."""
    if code == "isce":
        report("error", kind="shared_by_threads", own=True, place=place())
