"""A pooled connection of an async engine outlives the event loop that made it."""

from harness.fixes import Fix
from harness.lookalikes.lookalike import Lookalike

LOOKALIKE = Lookalike(
    id="event_loop",
    title="An async engine used in more than one event loop",
    heading="got Future attached to a different loop",
    look_at=(
        "the engine is async, and the program calls asyncio.run() more than once in a process: in each Celery"
        " task, each test, each thread"
    ),
    description=(
        "asyncio.run() makes an event loop and closes it at the end. A connection of asyncpg or of psycopg's"
        " async side belongs to the loop in which it was opened, and the engine's pool keeps it for the next"
        " loop, in which it cannot be used. The first call in a process works, the second fails, under any"
        " start method. If the module also connects when it is imported, in the parent of forked workers,"
        " the connection belongs to another process as well."
    ),
    avoidance=(
        "Keep no connection beyond a loop: NullPool, or one loop for the life of the process"
        " (asyncio.Runner), or await engine.dispose() at the end of each asyncio.run(). In forked workers"
        " also drop what they inherited: engine.sync_engine.dispose(close=False), which is no coroutine;"
        " engine.dispose(close=False) without await does nothing."
    ),
    fixes=(
        Fix(
            "A loop for each task: NullPool",
            "engine = create_async_engine(URL, poolclass=NullPool)",
        ),
        Fix(
            "One loop for each process",
            """\
RUNNERS, KEPT = {}, []


def run(coroutine):
    \"\"\"Instead of asyncio.run(): the same loop each time, and another one in a forked worker.\"\"\"
    if os.getpid() not in RUNNERS:
        KEPT.append(engine.sync_engine.pool)  # No finalizer may end the parent's session.
        engine.sync_engine.dispose(close=False)
        RUNNERS[os.getpid()] = asyncio.Runner()
    return RUNNERS[os.getpid()].run(coroutine)""",
        ),
        Fix(
            "Celery, prefork pool",
            """\
@worker_process_init.connect
def own_connections(**_):
    engine.sync_engine.dispose(close=False)""",
        ),
    ),
    first=(
        "got Future attached to a different loop",
        "attached to a different loop",
        "is bound to a different event loop",
        "Event loop is closed",
        "attached to a different event loop",
        "coroutine 'AsyncEngine.dispose' was never awaited",
        "unknown protocol state",
        "There is no current event loop",
        "asyncio.run() cannot be called from a running event loop",
    ),
    also=("another operation is in progress", "connection was closed in the middle of operation"),
    words=(
        "asyncio.run", "AsyncEngine", "create_async_engine", "asyncpg", "event loop", "asyncio",
        "celery async", "pytest-asyncio", "async_to_sync",
    ),
    links=(
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html"
        "#using-multiple-asyncio-event-loops",
        "https://github.com/mishrasanjeev/agentic-org/pull/993",
    ),
)  # fmt: skip
