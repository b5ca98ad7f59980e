"""Threads of one process use one session, connection or cursor."""

from harness.fixes import Fix
from harness.lookalikes.lookalike import Lookalike

LOOKALIKE = Lookalike(
    id="shared_by_threads",
    title="A session, connection or cursor used by several threads",
    heading="This session is provisioning a new connection; concurrent operations are not permitted",
    look_at=(
        "it happens in a process that was never forked, or whose workers are threads, and a session,"
        " connection or cursor is a global or is passed to a thread"
    ),
    description=(
        "An engine may be shared by threads; a Session, a Connection and a cursor may not. Two threads, or"
        " two tasks of asyncio, that use one at the same time read each other's answers, end each other's"
        " transaction, or find the result closed: the same errors as those of a connection in two processes."
    ),
    avoidance=(
        "Share the engine and the session factory, and let each thread, task or request open its own"
        " session: with Session() as session. Never keep a session or connection in a global. An"
        " AsyncSession belongs to one task: no asyncio.gather() over it."
    ),
    fixes=(
        Fix(
            "A session for each piece of work, in the thread that does it",
            """\
Session = sessionmaker(engine)


def work(statement):
    with Session() as session, session.begin():
        return session.execute(statement).all()""",
        ),
    ),
    first=(
        "This session is provisioning a new connection; concurrent operations are not permitted",
        "IllegalStateChangeError",
        "can't be called here; method",
        "Session is already flushing",
        "This transaction is closed",
        "another command is already in progress",
        "sending query failed: another command is already in progress",
        "sending prepared query failed: another command is already in progress",
        "cursor already closed",
        "the connection cannot be re-entered recursively",
        "cannot be used while an asynchronous query is underway",
        "Commands out of sync; you can't run this command now",
        "SQLite objects created in a thread can only be used in that same thread",
        "is already attached to session",
        "Set changed size during iteration",
        "set_session cannot be used inside a transaction",
    ),
    also=(
        "This result object does not return rows. It has been closed automatically.",
        "ResourceClosedError",
        "no results to fetch",
        "error with no message from the libpq",
        "error with status PGRES_TUPLES_OK and no message from the libpq",
        "another operation is in progress",
        "Could not locate column in row for column",
        "Packet sequence number wrong",
        'savepoint "sa_savepoint_1" does not exist',
        "there is already a transaction in progress",
        "SAVEPOINT can only be used in transaction blocks",
        "SET TRANSACTION ISOLATION LEVEL must be called before any query",
    ),
    words=(
        "threads", "thread safe", "ThreadPoolExecutor", "concurrent", "global session", "scoped_session",
        "asyncio.gather",
    ),
    links=(
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html"
        "#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks",
        "https://docs.sqlalchemy.org/en/20/errors.html#error-isce",
    ),
)  # fmt: skip
