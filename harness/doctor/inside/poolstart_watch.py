"""Observes pools and forks of this process, and reports lines of JSON to a directory.

Hooks never raise, import, log, wait, start a thread, or take a lock of a pool; a worker's objects are never
listed. A process is recognised by its pid, so a fork of uWSGI's, which runs no hooks, is noticed, too.
"""

from __future__ import annotations

import _thread
import os
import sys
import time

from poolstart_frames import connects, place, starter, works
from poolstart_hooks import WhenImported, safely

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Not at run time: it takes longer than all the rest.
    from typing import Any

DIRECTORY = os.environ.get("POOLSTART_DOCTOR", "")
NAMESPACE = os.environ.get("POOLSTART_DOCTOR_NAMESPACE", "")
"""The PID namespace of the doctor: pids mean the same there and here if it is this one."""
GUARD = os.environ.get("POOLSTART_DOCTOR_GUARD") == "1"

MOST = 50
"""Reports of one kind from one process."""


class Opened:
    """A connection of a pool: who opened it, where, and which file its descriptor is."""

    def __init__(self, name: str, pid: int, place: str, engine: str, descriptor: int, inode: int) -> None:
        self.name, self.pid, self.place, self.engine = name, pid, place, engine
        self.descriptor, self.inode = descriptor, inode
        self.out = False
        """Whether it was checked out when this process was forked."""
        self.transaction = False
        """Whether it was in a transaction when this process was forked."""
        self.left = False
        """Whether it was another process's and in a pool that this one has disposed of."""


class State:
    """What this process knows. A forked worker inherits it, as it inherits the connections."""

    pid = os.getpid()
    elsewhere = ""
    """Part of the name of the file of reports, if the process is in another PID namespace."""
    alone = pid
    """The process whose connections are all known to be its own: its checkouts are not examined."""
    checkout: Any = None
    checkin: Any = None
    query: Any = None
    """Functions of SQLAlchemy that are replaced while they need to be observed; None before its import."""
    threaded = False
    """Whether this process has had several threads: then each checkout notes its thread."""
    count = 0
    opened: Any = None
    """By connection record, weakly."""
    threads: dict[int, int] = {}  # noqa: RUF012
    """By id of a connection record: the thread that has connected it, or checked it out last."""
    engines: Any = None
    """Where each was made, weakly."""
    raw: Any = None
    """Of the drivers' own connections: where each was opened, and its inode, weakly."""
    made: dict[tuple[str, str], int] = {}  # noqa: RUF012
    """How many engines were made in this process, by place and URL."""
    forked = False
    served = False
    """Whether a forked process has returned a connection since it was forked."""
    before: list[Any] = []  # noqa: RUF012
    """Called in the parent before each fork."""
    held: Any = None
    """Returns the locks that another thread holds."""
    follow: list[Any] = []  # noqa: RUF012
    """Called in each forked process."""
    reported: dict[tuple[str, str], int] = {}  # noqa: RUF012
    json: Any = None
    socket: Any = None


def install() -> None:
    """Observe this process, and those that it forks."""
    # Now, because the program may change sys.path.
    import poolstart_drivers
    import poolstart_locks
    import poolstart_pools
    import poolstart_processes

    State.held = poolstart_locks.held
    State.follow = [poolstart_pools.follow, poolstart_locks.follow]
    safely(locate)()
    sys.meta_path.insert(0, WhenImported())
    poolstart_pools.install()
    poolstart_drivers.install()
    poolstart_processes.install()
    os.register_at_fork(before=safely(before_fork), after_in_child=safely(after_fork))


def prepare() -> None:
    """Import what reports need: a fork hook must not."""
    if State.json is not None:
        return
    import json
    import socket
    import weakref

    State.socket = socket
    State.opened, State.engines = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
    State.raw = weakref.WeakKeyDictionary()
    State.json = json
    report("seen")


def before_fork() -> None:
    """In the parent: where it forks, what its pools hold, and which locks other threads have."""
    if State.json is None:
        return
    for hook in State.before:
        hook()
    threads, background, connecting = [], [], []
    for thread, frame in sys._current_frames().items():
        if thread != _thread.get_ident():
            threads.append(place(frame))
            background += works(frame)
            if connects(frame):
                connecting.append(threads[-1])
    report(
        "fork",
        place=place(),
        by=starter(),
        threads=threads,
        background=background,
        connecting=connecting,
        connections=connections(),
        locks=State.held(),
    )


def connections() -> list[dict[str, Any]]:
    """The connections that this process has opened."""
    found = {}
    for connection, (pid, where, library, inode) in list((State.raw or {}).items()):
        if pid == os.getpid() and not getattr(connection, "closed", 0):
            busy = in_transaction(connection)
            found[inode] = {"opened": where, "library": library, "inode": inode, "transaction": busy}
    for record, opened in list((State.opened or {}).items()):
        dbapi = getattr(record, "dbapi_connection", None) or getattr(record, "connection", None)
        if dbapi is None or opened.pid != os.getpid():
            continue
        opened.transaction = in_transaction(dbapi)
        found[opened.inode or -len(found)] = {
            "opened": opened.place,
            "library": "sqlalchemy",
            "inode": opened.inode,
            "transaction": opened.transaction,
            "thread": State.threads.get(id(record), 0),
        }
    return list(found.values())


def after_fork() -> None:
    """In the worker."""
    parent, State.pid, State.threaded = State.pid, os.getpid(), False
    examine(0)
    locate()
    State.reported, State.made, State.forked, State.served = {}, {}, True, False
    report("forked", parent=parent)
    for hook in State.follow:
        hook()
    if GUARD:
        guard()


def examine(alone: int) -> None:
    """Set `State.alone`, and with it what is examined."""
    State.alone = alone
    observe()


def observe() -> None:
    """Replace the functions of SQLAlchemy that have to be observed in this process, and no others."""
    if State.checkin is None:
        return
    pid = os.getpid()
    # uWSGI's master forks without a hook.
    examined = State.alone != pid or (State.pid == pid and "uwsgi" in sys.modules)
    State.checkin.replace(examined)
    State.checkout.replace(examined or State.threaded)
    if not examined:
        State.query.replace(False)


def several(*_: Any, **__: Any) -> None:
    """This process has several threads, or is about to."""
    State.threaded = True
    observe()


def locate() -> None:
    """Note whether this process is in the PID namespace of the doctor."""
    inode = str(os.stat("/proc/self/ns/pid").st_ino)
    State.elsewhere = f".{inode}" if NAMESPACE not in ("", inode) else ""


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
    # A file for each user that the process becomes: the next one may not write to the file of the one before.
    file = os.open(
        f"{DIRECTORY}/{os.getpid()}.{os.geteuid()}{State.elsewhere}.jsonl",
        os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
        0o600,
    )
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
