"""Where in the user's code something happens: stack frames, as `app.py:12 work`. Reads nothing but names."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

LIBRARIES = ("site-packages", "dist-packages", f"{os.sep}lib{os.sep}python3", "<", os.path.dirname(__file__))
"""Parts of the names of files that are not the user's."""

SCRIPTS = (f"{sys.exec_prefix}/bin/", "/usr/bin/", "/usr/local/bin/", "/.local/bin/")
"""Where the scripts are that start libraries, such as `gunicorn`."""

BETWEEN = ("sqlalchemy", "flask_sqlalchemy", "sqlmodel", "psycopg", "psycopg2", "psycopg_pool", "asyncpg",
           "harness")  # fmt: skip
"""Libraries that are not named as the place of an event if another one has called them, and this one."""

STARTERS = (
    ("-packages/gunicorn/arbiter.py", "gunicorn"),
    ("-packages/celery/", "celery"),
    ("-packages/billiard/", "celery"),
    ("-packages/rq/", "rq"),
    ("-packages/granian/", "granian"),
    ("-packages/airflow/", "airflow"),
    ("-packages/apscheduler/executors/", "apscheduler"),
    ("concurrent/futures/process.py", "executor"),
    ("multiprocessing/pool.py", "pool"),
    ("multiprocessing/process.py", "process"),
    ("multiprocessing/forkserver.py", "forkserver"),
)
"""Parts of the names of files on the stack of a fork, and what forks, those that name it best first."""

BACKGROUND = ("psycopg_pool", "apscheduler", "logging/handlers.py", "opentelemetry", "prometheus_client")
"""Parts of the names of files whose threads do work that a worker expects to be done."""


def place(frame: Any = None) -> str:
    """The innermost line of the user's own code, `app.py:12 work`; else where it is inside of a library."""
    own = last = sys._getframe() if frame is None else frame
    library = ""
    while own is not None:
        name = own.f_code.co_filename
        if not any(part in name for part in LIBRARIES) and not launches(own):
            return named(own)
        for folder in ("site-packages", "dist-packages"):
            package = name.rpartition(f"{folder}{os.sep}")[2].partition(os.sep)[0] if folder in name else ""
            if package and not library and package not in BETWEEN:
                library = f"inside {package.partition('.')[0]} ({named(own)})"
        last, own = own, own.f_back
    # An AsyncEngine runs its driver in a greenlet: the user's code is in the one that waits for it.
    greenlet = sys.modules.get("greenlet")
    parent = greenlet.getcurrent().parent if greenlet and frame is None else None
    if parent is not None and parent.gr_frame is not None:
        return place(parent.gr_frame)
    return library or named(last)


def launches(frame: Any) -> bool:
    """Whether it is the script that starts a library."""
    name = frame.f_code.co_filename
    main = frame.f_code.co_name == "<module>" and not name.endswith(".py")
    return main and any(part in name for part in SCRIPTS)


def within(library: str) -> bool:
    """Whether a function of this library is among the callers."""
    frame: Any = sys._getframe()
    while frame is not None:
        if f"{library}{os.sep}" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def safe_place() -> str:
    try:
        return place()
    except Exception:
        return ""


def named(frame: Any) -> str:
    code = frame.f_code
    return f"{os.path.basename(code.co_filename)}:{frame.f_lineno} {code.co_name}"


def starter() -> str:
    """What forks: a part of `STARTERS`, or `fork` if it is the program itself."""
    names = []
    frame = sys._getframe()
    while frame is not None:
        names.append(frame.f_code.co_filename.replace(os.sep, "/"))
        frame = frame.f_back  # type: ignore[assignment]
    for part, name in STARTERS:
        if any(part in each for each in names):
            return name
    return "fork"


def works(frame: Any) -> list[str]:
    """The part of `BACKGROUND` that a thread belongs to."""
    while frame is not None:
        name = frame.f_code.co_filename.replace(os.sep, "/")
        for part in BACKGROUND:
            if part in name:
                return [part]
        frame = frame.f_back
    return []


def connects(frame: Any) -> bool:
    """Whether a thread is in a driver's connect."""
    while frame is not None:
        if frame.f_code.co_filename.endswith("poolstart_drivers.py"):
            return True
        frame = frame.f_back
    return False


def variables() -> Iterator[tuple[str, str, Any]]:
    """The variables of the program's own modules: module, name, value."""
    for module in list(sys.modules.values()):
        names = fields(module)
        file = names.get("__file__")
        if file and not any(part in file for part in LIBRARIES):
            for name, value in list(names.items()):
                yield names.get("__name__", ""), name, value


def fields(value: Any) -> Any:
    """Its `__dict__`, or an empty one. A module that waits for its first use is not loaded."""
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}


def name_of(value: Any) -> str:
    """How the program's modules name a value: `app:engine`, `app:db.engine`; empty if they do not."""
    for module, name, each in variables():
        if type(each) is not type(sys):
            path = path_to(value, each)
            if path is not None:
                return f"{module}:{name}{path}"
    return ""


def path_to(value: Any, each: Any, depth: int = 2) -> Any:
    """What leads from an object to a value: an empty text if it is the value, None if nothing does."""
    if each is value:
        return ""
    if type(each).__module__.startswith("sqlalchemy.ext.asyncio"):
        return ".sync_engine" if getattr(each, "sync_engine", None) is value else None
    for name, part in list(fields(each).items()) if depth else ():
        if name == "kw" and isinstance(part, dict) and part.get("bind") is value:
            return '.kw["bind"]'  # of a sessionmaker
        path = path_to(value, part, depth - 1)
        if path is not None:
            return f".{name}{path}"
    return None
