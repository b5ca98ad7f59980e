"""A transaction waits for a lock that another transaction holds."""

from harness.fixes import Fix
from harness.lookalikes.lookalike import Lookalike

LOOKALIKE = Lookalike(
    id="lock_wait",
    title="A transaction that waits for another one",
    heading="A query never returns: its session waits for a lock",
    look_at=(
        "the stack of the worker ends in a query (do_execute), and pg_blocking_pids() of its session is not"
        " empty"
    ),
    description=(
        "A row, a table or an advisory lock is held by a transaction that is still open, often one that is"
        " idle: a session in another process, thread or request that was not committed. The worker waits in"
        " the server, not in Python; neither the pool nor a fork is involved. If nothing blocks the session,"
        " and it is idle, another process or thread has read the answer: that is shared_socket. PostgreSQL"
        " ends a deadlock by itself, but does not see one whose other half is a join() or a queue in Python."
    ),
    avoidance=(
        "Find the session that blocks, and let its transaction end: commit or roll back before waiting for"
        " anything else, such as a worker, a request or a user. Limit the wait with lock_timeout, and the"
        " idle transaction with idle_in_transaction_session_timeout, so that both are errors instead of"
        " hangs."
    ),
    fixes=(
        Fix(
            "Which session blocks which",
            """\
BLOCKED = \"\"\"
select blocked.pid, blocked.query, blocking.pid, blocking.state, blocking.application_name, blocking.query
from pg_stat_activity blocked
join pg_stat_activity blocking on blocking.pid = any(pg_blocking_pids(blocked.pid))
\"\"\"
with engine.connect() as connection:
    print(*connection.execute(text(BLOCKED)), sep="\\n")""",
        ),
        Fix(
            "An error instead of a hang (psycopg2 and psycopg)",
            """\
LIMITS = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
engine = create_engine(URL, connect_args={"options": LIMITS})""",
        ),
    ),
    first=(
        "canceling statement due to lock timeout",
        "LockNotAvailable",
        "could not obtain lock on row in relation",
        "still waiting for ShareLock on transaction",
        "waits for ShareLock on transaction",
        "still waiting for AccessExclusiveLock on relation",
        "canceling statement due to statement timeout",
        "do_execute (sqlalchemy/engine/default.py",
        "terminating connection due to idle-in-transaction timeout",
    ),
    also=(),
    words=(
        "lock", "blocked", "idle in transaction", "pg_blocking_pids", "waiting", "pg_locks", "QueryCanceled",
        "do_execute", "ALTER TABLE hangs", "migration hangs",
    ),
    links=(
        "https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION",
        "https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT",
        "https://wiki.postgresql.org/wiki/Lock_Monitoring",
    ),
)  # fmt: skip
