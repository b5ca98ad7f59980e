"""Observes pools and forks of this process, and reports lines of JSON to a directory.

Hooks never raise, import, log, wait, start a thread, or take a lock of a pool; a worker's objects are never
listed. A process is recognised by its pid at each event, so a fork that runs no hooks is noticed, too.
"""

from __future__ import annotations

import _thread
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Not at run time: it takes longer than all the rest.
    from typing import Any

DIRECTORY = os.environ.get("POOLSTART_DOCTOR", "")
GUARD = os.environ.get("POOLSTART_DOCTOR_GUARD") == "1"

LIBRARIES = ("site-packages", "dist-packages", f"{os.sep}lib{os.sep}python3", "<", __file__)
"""Parts of the names of files that are not the user's."""

MOST = 50
"""Reports of one kind from one process."""

MANY = 10
"""Engines for one database that are made at one place, from which on that is reported."""

BACKGROUND = ("psycopg_pool", "apscheduler", "logging/handlers.py", "opentelemetry", "prometheus_client")
"""Parts of the names of files whose threads do work that a worker expects to be done."""


class Opened:
    """A connection of a pool: who opened it, where, and which file its descriptor is."""

    __slots__ = ("descriptor", "engine", "inode", "name", "pid", "place", "transaction")

    def __init__(self, name: str, pid: int, place: str, engine: str, descriptor: int, inode: int) -> None:
        self.name, self.pid, self.place, self.engine = name, pid, place, engine
        self.descriptor, self.inode = descriptor, inode
        self.transaction = False
        """Whether it was in a transaction when this process was forked."""


class State:
    """What this process knows. A forked worker inherits it, as it inherits the connections."""

    pid = os.getpid()
    count = 0
    opened: Any = None
    """By connection record, weakly."""
    engines: Any = None
    """Where each was made, weakly."""
    made: dict[tuple[str, str], int] = {}  # noqa: RUF012
    """How many engines were made in this process, by place and URL."""
    reported: dict[tuple[str, str], int] = {}  # noqa: RUF012
    json: Any = None
    socket: Any = None


def install() -> None:
    """Observe this process, and those that it forks."""
    sys.meta_path.insert(0, WhenImported())
    os.register_at_fork(before=_safely(before_fork), after_in_child=_safely(after_fork))


class WhenImported:
    """Begins to listen as soon as SQLAlchemy has been imported."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name != "sqlalchemy":
            return None
        sys.meta_path.remove(self)
        specs = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                _safely(listen)()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def listen() -> None:
    # SQLAlchemy has imported them; a fork hook must not.
    import json
    import socket
    import weakref

    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

    State.json, State.socket = json, socket
    State.opened, State.engines = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
    for name, hook in (("connect", connect), ("checkout", checkout), ("checkin", checkin), ("close", close)):
        event.listen(Pool, name, _safely(hook))
    report("seen")
    initialise, dispose = Engine.__init__, Engine.dispose

    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        initialise(self, *arguments, **options)
        _safely(made)(self)

    def disposed(self: Any, *arguments: Any, **options: Any) -> Any:
        result = dispose(self, *arguments, **options)
        _safely(treated)(self)
        return result

    Engine.__init__ = __init__  # type: ignore[method-assign]
    Engine.dispose = disposed  # type: ignore[method-assign]


def made(engine: Any) -> None:
    where = place()
    State.engines[engine] = where
    key = (where, str(engine.url))
    State.made[key] = State.made.get(key, 0) + 1
    if State.made[key] == MANY:
        report("engines", place=where, count=MANY)


def treated(engine: Any) -> None:
    report("disposed", engine=State.engines.get(engine, ""))


def engine_of(record: Any) -> Any:
    """The engine of a connection; None if it is not known."""
    pool = getattr(record, "_ConnectionRecord__pool", None)
    return next((engine for engine in list(State.engines) if engine.pool is pool), None)


def connect(dbapi: Any, record: Any) -> None:
    engine = engine_of(record)
    if engine is not None and engine.dialect.name == "sqlite":
        # A database in memory is copied by a fork, and each process has its own.
        return
    State.count += 1
    pid = os.getpid()
    where = State.engines.get(engine, "") if engine is not None else ""
    State.opened[record] = Opened(f"{pid}-{State.count}", pid, place(), where, *descriptor_of(dbapi))


def checkout(dbapi: Any, record: Any, proxy: Any) -> None:
    opened = State.opened.get(record)
    if opened is None:
        return
    if opened.descriptor >= 0 and inode_of(opened.descriptor) != opened.inode:
        report("replaced", connection=opened.name, opened=opened.place, place=place())
    elif opened.pid != os.getpid():
        report(
            "used",
            connection=opened.name,
            opener=opened.pid,
            opened=opened.place,
            engine=opened.engine,
            place=place(),
        )


def checkin(dbapi: Any, record: Any) -> None:
    opened = State.opened.get(record)
    if opened is not None and opened.pid != os.getpid():
        report(
            "returned",
            connection=opened.name,
            opener=opened.pid,
            opened=opened.place,
            transaction=opened.transaction,
            place=place(),
        )
        opened.transaction = False


def close(dbapi: Any, record: Any) -> None:
    opened = State.opened.get(record)
    if opened is not None and opened.pid != os.getpid():
        report("closed", connection=opened.name, opener=opened.pid, opened=opened.place, place=place())


def before_fork() -> None:
    """In the parent: where it forks, what its pools hold, and which locks other threads have."""
    if State.json is None:
        return
    threads, background = [], []
    for thread, frame in sys._current_frames().items():
        if thread != _thread.get_ident():
            threads.append(place(frame))
            background += works(frame)
    connections = []
    for record, opened in list((State.opened or {}).items()):
        dbapi = getattr(record, "dbapi_connection", None) or getattr(record, "connection", None)
        if dbapi is None or opened.pid != os.getpid():
            continue
        opened.transaction = in_transaction(dbapi)
        connections.append({"name": opened.name, "transaction": opened.transaction, "opened": opened.place})
    report(
        "fork", place=place(), threads=threads, background=background, connections=connections, locks=held()
    )


def after_fork() -> None:
    """In the worker."""
    parent, State.pid = State.pid, os.getpid()
    State.reported, State.made = {}, {}
    report("forked", parent=parent)
    if GUARD:
        guard()


def works(frame: Any) -> list[str]:
    """The part of `BACKGROUND` that a thread belongs to."""
    while frame is not None:
        name = frame.f_code.co_filename.replace(os.sep, "/")
        for part in BACKGROUND:
            if part in name:
                return [part]
        frame = frame.f_back
    return []


def guard() -> None:
    """Replace each inherited socket by one whose other end is closed, so that its first use fails here."""
    for opened in list((State.opened or {}).values()):
        if opened.descriptor < 0 or inode_of(opened.descriptor) != opened.inode:
            continue
        dead, other = State.socket.socketpair()
        other.close()
        os.dup2(dead.fileno(), opened.descriptor)
        dead.close()
        opened.inode = inode_of(opened.descriptor)
        report("guarded", connection=opened.name, opened=opened.place)


def held() -> list[str]:
    """The locks that another thread holds: of pools, and of modules that are being imported."""
    found = []
    for engine, where in list((State.engines or {}).items()):
        mutex = getattr(getattr(engine.pool, "_pool", None), "mutex", None)
        text = repr(mutex)
        if text.startswith("<locked") and f"owner={_thread.get_ident()} " not in text:
            found.append(f"the lock of the pool of the engine made at {where}")
    for name, weak in list(getattr(sys.modules.get("_frozen_importlib"), "_module_locks", {}).items()):
        lock = weak()
        owner = getattr(lock, "owner", None)
        if owner and owner != _thread.get_ident():
            found.append(f"the import of {name}")
    return found


def in_transaction(dbapi: Any) -> bool:
    """Whether a connection is in a transaction. Asks the driver, never the server."""
    info = getattr(dbapi, "info", None)
    return int(getattr(info, "transaction_status", 0) or 0) in (1, 2, 3)


def descriptor_of(dbapi: Any) -> tuple[int, int]:
    """The descriptor of a connection and its inode; -1 and 0 if it has none that is known."""
    fileno = getattr(dbapi, "fileno", None)
    if fileno is None:
        return -1, 0
    number = fileno()
    return number, inode_of(number)


def inode_of(descriptor: int) -> int:
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return 0


def place(frame: Any = None) -> str:
    """The innermost line of the user's own code: `app.py:12 work`."""
    own = sys._getframe() if frame is None else frame
    last = own
    while own is not None:
        if not any(part in own.f_code.co_filename for part in LIBRARIES):
            return named(own)
        last, own = own, own.f_back
    # An AsyncEngine runs its driver in a greenlet: the user's code is in the one that waits for it.
    greenlet = sys.modules.get("greenlet")
    parent = greenlet.getcurrent().parent if greenlet and frame is None else None
    if parent is not None and parent.gr_frame is not None:
        return place(parent.gr_frame)
    return named(last)


def named(frame: Any) -> str:
    code = frame.f_code
    return f"{os.path.basename(code.co_filename)}:{frame.f_lineno} {code.co_name}"


def report(event: str, **fields: Any) -> None:
    """Append a line. The file is closed at once: a daemon that closes its descriptors leaves none behind."""
    if State.json is None:
        return
    key = (event, str(fields.get("place")))
    count = State.reported.get(key, 0)
    State.reported[key] = count + 1
    if count >= MOST:
        return
    line = (
        State.json.dumps({"event": event, "pid": os.getpid(), "time": time.monotonic_ns(), **fields}) + "\n"
    )
    file = os.open(
        f"{DIRECTORY}/{os.getpid()}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
    )
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def _safely(hook: Any) -> Any:
    def hooked(*arguments: Any, **options: Any) -> None:
        try:  # noqa: SIM105 - a context manager takes longer
            hook(*arguments, **options)
        except Exception:
            pass

    return hooked
