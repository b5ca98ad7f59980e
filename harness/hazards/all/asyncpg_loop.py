"""asyncpg: a worker that is forked from a running event loop drops the pool of its parent."""

import asyncio
import gc
import importlib.util
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

from harness import drivers
from harness.fixes import KEPT_POOL
from harness.hazards.conditions import NO_RUNNING_LOOP
from harness.hazards.hazard import Hazard, HazardFigure, Severity
from harness.hazards.inside.handle import Failed, Hung, WorkerHandle
from harness.hazards.inside.parent import SERVER_DEADLINE, Engine, Parent
from harness.hazards.inside.worker import Worker, plain, synchronous
from harness.strategies import ParentConnection, Strategy

BACKEND = "select pg_backend_pid()"

OTHER_LOOP = "got Future attached to a different loop"
"""The error of asyncio, without the repr of the future."""


KEPT: list[Any] = []
"""Inherited pools, which must not be collected."""

CURES = {
    "awaited": "await engine.dispose(close=False) in its event loop",
    "before": "engine.sync_engine.dispose(close=False) before its event loop",
    "inside": "engine.sync_engine.dispose(close=False) in its event loop",
    "kept": "KEPT.append(engine.sync_engine.pool) before engine.sync_engine.dispose(close=False)",
    "new": "a new engine, and the inherited one left alone",
}
"""Cures that a worker may apply to an inherited AsyncEngine."""

WHERE = {
    "running": "Forked while the loop of the parent runs",
    "stopped": "Forked while it does not run",
    "uvloop": "Forked while a uvloop of the parent runs",
}
"""Where a worker is forked."""


def figure_of(cure: str, where: str) -> str:
    """The id of the figure that counts the trials in which the parent or the worker fails."""
    return f"{cure}_{where}"


def needs_asyncpg() -> str:
    if all(map(importlib.util.find_spec, ("asyncpg", "greenlet"))):
        return ""
    return (
        "asyncpg or greenlet is not installed; `uv run --with asyncpg --with greenlet poolstart hazards"
        " asyncpg_loop` has them"
    )


def where_nothing_is_closed(strategy: Strategy) -> str:
    if strategy.parent_connection is ParentConnection.KEPT:
        return ""
    return "its dispose() closes connections, which asyncpg does only in a coroutine"


async def backend(engine: Engine) -> int:
    """The backend that answers a query over an AsyncEngine; `engine` is its synchronous side."""
    from sqlalchemy.ext.asyncio import AsyncEngine

    async with AsyncEngine(synchronous(engine)).connect() as connection:
        return int((await connection.exec_driver_sql(BACKEND)).scalar() or 0)


def work(worker: Worker) -> int:
    """Treat the engine as the strategy does, collect garbage, as Python does at times, and query."""
    return in_no_loop(lambda: asyncio.run(treated(worker)))


async def treated(worker: Worker) -> int:
    engine = worker.engine()
    gc.collect()
    return await backend(engine)


def in_no_loop(function: Callable[[], int]) -> int:
    """Call the function in a thread without an event loop, and return its result."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(function).result()


def runner_of(where: str) -> asyncio.Runner:
    """A runner of coroutines in a loop of uvloop or of asyncio."""
    if where != "uvloop":
        return asyncio.Runner()
    uvloop: Any = importlib.import_module("uvloop")
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def work_with_cure(worker: Worker, cure: str, url: str, where: str) -> int:
    """The same with one of `CURES` in place of the strategy's treatment."""

    def work() -> int:
        if cure == "before":
            worker.handed.sync_engine.dispose(close=False)
        with runner_of(where) as runner:
            return runner.run(cured(worker, cure, url))

    return in_no_loop(work)


async def cured(worker: Worker, cure: str, url: str) -> int:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = worker.handed
    if cure == "awaited":
        await engine.dispose(close=False)
    elif cure == "inside":
        engine.sync_engine.dispose(close=False)
    elif cure == "kept":
        KEPT.append(engine.sync_engine.pool)
        engine.sync_engine.dispose(close=False)
    elif cure == "new":
        engine = create_async_engine(url)
    gc.collect()
    return await backend(engine)


def harm_with_cure(parent: Parent, cure: str, where: str) -> str:
    """Apply a cure to the parent's engine in a worker, and return what goes wrong; empty if nothing does."""
    from sqlalchemy.ext.asyncio import create_async_engine

    engine: Any = create_async_engine(parent.url)
    runner = runner_of(where)
    own = runner.run(backend(engine))

    def start() -> WorkerHandle:
        return parent.start(work_with_cure, cure, parent.url, where, engine=engine)

    async def start_in_loop() -> WorkerHandle:
        return start()

    worker = start() if where == "stopped" else runner.run(start_in_loop())
    try:
        worker.answer()
    except (Failed, Hung) as failed:
        return f"The worker fails: {failed}."
    return runner.run(harm_of_parent(parent, engine, own))


async def harm_from_running_loop(parent: Parent) -> str:
    """Start a worker from this loop, and return what goes wrong; empty if nothing does."""
    engine = parent.engine()
    own = await backend(engine)
    worker = parent.start(work, engine=engine)
    try:
        worker.answer()
        parent.tell("worker", "Drops or keeps the pool as its strategy does, collects garbage, and queries.")
    except Failed as failed:
        parent.tell("worker", "Queries over what it inherited, and fails.")
        state = parent.ask("select state from pg_stat_activity where pid = %s", own)
        parent.tell("server", f"The parent's session is {state}.")
        return OTHER_LOOP if str(failed).endswith("attached to a different loop") else str(failed)
    if not parent.strategy.pooled:
        return ""
    harm = await harm_of_parent(parent, engine, own)
    if harm:
        parent.tell("server", "The parent's session was ended, by a message that the worker sent.")
    return harm


async def harm_of_parent(parent: Parent, engine: Engine, own: int) -> str:
    """Query over the parent's session, and return what goes wrong; empty if nothing does."""
    query = asyncio.ensure_future(backend(engine))
    deadline = asyncio.get_running_loop().time() + SERVER_DEADLINE
    while not query.done() and parent.backend_alive(own):
        if asyncio.get_running_loop().time() > deadline:
            raise RuntimeError("the parent's session is alive, and does not answer")
        await asyncio.sleep(0.01)
    if not query.done():
        return "The parent's session is gone, and its query does not return."
    try:
        query.result()
    except Exception as error:
        return plain(error)
    return ""


def reproduce(parent: Parent) -> bool:
    # It uses asyncpg, whatever the driver of the trial is.
    parent.url = parent.server.sqlalchemy_url("poolstart", drivers.ASYNCPG)
    if parent.keeps_condition:
        engine = parent.engine()
        parent.start(work, engine=engine).answer()
        return not asyncio.run(backend(engine))
    parent.tell("parent", "Queries by asyncpg, and starts a worker while its event loop is running.")
    # asyncio.run would wait for a query that never returns.
    harm = asyncio.new_event_loop().run_until_complete(harm_from_running_loop(parent))
    if not harm:
        parent.tell("server", "Has the parent's session as before.")
    if parent.strategy.id == "fork_dispose":
        loops = [where for where in WHERE if where != "uvloop" or importlib.util.find_spec("uvloop")]
        for (cure, title), where in product(CURES.items(), loops):
            other = harm_with_cure(parent, cure, where)
            parent.measure(figure_of(cure, where), float(bool(other)), 1)
            parent.tell("worker", f"{WHERE[where]}, with {title}: {other or 'both go on'}")
    parent.tell("user", harm or "Nothing unusual.")
    return bool(harm)


HAZARD = Hazard(
    id="asyncpg_loop",
    title="An asyncpg connection inherited within a running event loop",
    description=(
        "A worker that is forked while the parent's event loop is running inherits the loop's epoll object"
        " too. dispose(close=False), with await or without, drops the inherited pool, and the next garbage"
        " collection in the worker reaches its connections. asyncpg's transport then says goodbye on the"
        " parent's socket and takes it out of the epoll object that both share: the server ends the"
        " parent's session, and the parent's next query never returns. Left as it is, the pool fails in the"
        " worker, because its connections belong to another loop. It was seen with Python 3.11 to 3.15,"
        " SQLAlchemy 2.0 and 2.1, with TLS and without; with uvloop the parent gets an error instead."
    ),
    symptom=(
        "An asyncio server stops answering some time after it has started a worker with fork: its next"
        " query by asyncpg waits for ever. Or: got Future attached to a different loop, in the worker."
    ),
    affected_when=(
        "The worker's query fails, or the parent's session ends after the worker has collected garbage."
    ),
    avoidance=(
        "Start workers before the event loop runs, or with spawn or forkserver. Where neither is possible,"
        " keep the inherited pool alive in the worker: KEPT.append(engine.sync_engine.pool), with KEPT = []"
        " at module level, before engine.sync_engine.dispose(close=False)."
    ),
    fixes=(KEPT_POOL,),
    severity=Severity.HANG,
    messages=(OTHER_LOOP,),
    links=(
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#using-multiple-asyncio-event-loops",
        "https://github.com/MagicStack/asyncpg/issues/1037",
    ),
    condition=NO_RUNNING_LOOP,
    affected_control="fork_dispose",
    survives_control="spawn",
    not_applicable=where_nothing_is_closed,
    missing=needs_asyncpg,
    follows_releases=False,
    driver="asyncpg",
    figures=tuple(
        HazardFigure(figure_of(cure, where), f"{title_of_place}, {title}: one fails", "fraction")
        for cure, title in CURES.items()
        for where, title_of_place in WHERE.items()
    ),
)
