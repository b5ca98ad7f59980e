"""The arguments of each engine besides its URL, the size of its pool, and its event loop."""

from __future__ import annotations

import os
import sys

import poolstart_frames as frames
from poolstart_frames import place
from poolstart_hooks import before, safely
from poolstart_watch import State, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ADDRESS = {"host", "hostaddr", "port", "user", "password", "passfile", "dbname", "database", "service"}
"""Arguments of a connection that are part of the address, and not settings."""

MOST = 8
"""How many ancestors of a process are reported."""


class Given:
    """The settings of an engine."""

    def __init__(self) -> None:
        self.maker = self.reporter = 0
        """The processes that connected with it first, and that reported it last."""
        self.arguments: list[str] = []
        """Names of arguments of its connections, without their values."""


class Known:
    """The state of this process, which a forked worker inherits."""

    given: Any = None
    """By engine, weakly."""
    loops: Any = None
    """By connection record, weakly: the event loop that it is bound to, and where it was opened."""
    loop: Any = None
    """Weakly, the event loop in which a connection of another one was used last."""
    number = 0
    """How many of these there were."""
    raw: dict[Any, tuple[int, str, Any]] = {}  # noqa: RUF012
    """By weak reference to a connection of asyncpg: who opened it, where, and its event loop, weakly."""


def listen() -> None:
    import weakref

    from sqlalchemy import event
    from sqlalchemy.engine.default import DefaultDialect
    from sqlalchemy.pool import Pool

    Known.given, Known.loops = weakref.WeakKeyDictionary(), weakref.WeakKeyDictionary()
    event.listen(Pool, "connect", safely(connected))
    # Not by the event `do_connect`: if a dialect has a listener, each query looks for other listeners.
    before(DefaultDialect, "connect", connecting)


def connecting(dialect: Any, *_: Any, **options: Any) -> None:
    """An engine is about to connect."""
    engine = next((each for each in list(State.engines) if getattr(each, "dialect", None) is dialect), None)
    if engine is None or dialect.name != "postgresql":
        return
    if engine not in Known.given:
        Known.given[engine] = Given()
        Known.given[engine].maker = os.getpid()
    Known.given[engine].arguments = sorted(set(options) - ADDRESS)


def connected(dbapi: Any, record: Any) -> None:
    """An engine has connected. At the first time in this process, report it."""
    pool = getattr(record, "_ConnectionRecord__pool", None)
    engine = next((each for each in list(Known.given) if each.pool is pool), None)
    if engine is None:
        return
    if engine.dialect.driver == "asyncpg":
        bound(engine, record, dbapi)
    given = Known.given[engine]
    if given.reporter == os.getpid():
        return
    given.reporter = os.getpid()
    url = engine.url
    report(
        "engine",
        place=State.engines.get(engine, ""),
        maker=given.maker,
        ancestors=ancestors(),
        target=f"{url.host or ''}:{url.port or ''}/{url.database or ''}",
        user=url.username or "",
        settings=sorted({*(f"connect_args {name}" for name in given.arguments), *settings(engine)}),
        capacity=capacity(engine.pool),
    )


def settings(engine: Any) -> list[str]:
    """Names of options, and the events for which the program has listeners of its own."""
    found = [f"execution_options {name}" for name in engine.get_execution_options()]
    dialect = engine.dialect
    if getattr(dialect, "_on_connect_isolation_level", None) or dialect.isolation_level:
        found.append("isolation_level")
    for target in (engine, engine.pool, dialect):
        for name in target.dispatch._event_names:
            for function in getattr(target.dispatch, name):
                code = getattr(function, "__code__", None)
                if code and not any(part in code.co_filename for part in frames.LIBRARIES):
                    found.append(f"listener of {name}")
    return found


def capacity(pool: Any) -> int:
    """The connections that a pool can open; -1 if there is no limit."""
    size, more = getattr(getattr(pool, "_pool", None), "maxsize", 0), getattr(pool, "_max_overflow", 0)
    return int(size + more) if size > 0 and more >= 0 else -1


def ancestors() -> list[int]:
    """The processes from which this one descends, the nearest first."""
    found: list[int] = []
    pid = os.getpid()
    while pid > 1 and len(found) < MOST:
        file = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            pid = int(os.read(file, 4096).rpartition(b")")[2].split()[1])
        finally:
            os.close(file)
        found.append(pid)
    return found


def bound(engine: Any, record: Any, dbapi: Any) -> None:
    """Remember the event loop of a connection of asyncpg, which cannot be used in another one."""
    import weakref

    from sqlalchemy import event

    if not Known.loops:
        event.listen(engine.pool, "checkout", safely(other_loop))
    loop = running()
    if loop is not None:
        Known.loops[record] = (weakref.ref(loop), place())
        reference = weakref.ref(dbapi._connection, safely(collected))
        Known.raw[reference] = (os.getpid(), place(), weakref.ref(loop))


def collected(reference: Any) -> None:
    """A connection of asyncpg was collected. If it was another process's, that one's loop has lost it."""
    opener, opened, loop = Known.raw.pop(reference)
    if opener != os.getpid() and runs(loop):
        report("collected", opener=opener, opened=opened)


def left() -> None:
    """An engine was disposed of. Report connections of asyncpg whose loop was running at the fork."""
    for opener, opened, loop in list(Known.raw.values()):
        if opener != os.getpid() and runs(loop):
            report("left", opener=opener, opened=opened, place=place())
            return


def runs(reference: Any) -> bool:
    """Whether an event loop runs, or ran at the fork if it is a copy."""
    loop = reference()
    return loop is not None and bool(loop.is_running())


def running() -> Any:
    events = sys.modules.get("asyncio.events")
    return events._get_running_loop() if events else None


def other_loop(dbapi: Any, record: Any, proxy: Any) -> None:
    loop, opened = Known.loops.get(record, (None, ""))
    now = running()
    if loop is not None and loop() is not now:
        if Known.loop is None or Known.loop() is not now:
            Known.loop, Known.number = type(loop)(now) if now else None, Known.number + 1
        report("other_loop", opened=opened, place=place(), number=Known.number)
