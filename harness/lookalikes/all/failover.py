"""The server is restarted, or another one takes over."""

from harness.fixes import Fix
from harness.lookalikes.lookalike import Lookalike

LOOKALIKE = Lookalike(
    id="failover",
    title="A server that was restarted or replaced",
    heading="terminating connection due to administrator command",
    look_at=(
        "all processes fail at the same moment, those without a fork too, and pg_postmaster_start_time() is"
        " later than their start"
    ),
    description=(
        "A restart, a crash or a failover ends all sessions at once. Every pooled connection of every process"
        " is dead, and each fails when it is next used. After a failover the old primary may still accept"
        " connections, as a replica: then reads work and writes fail."
    ),
    avoidance=(
        "Test connections when they are checked out, pool_pre_ping=True: a restart then costs no query. A"
        " transaction that was open is lost: run it again as a whole. With a primary and replicas, list all"
        " hosts in the URL, and ask for the one that can write."
    ),
    fixes=(
        Fix("Wherever the engine is made", "engine = create_engine(URL, pool_pre_ping=True)"),
        Fix(
            "Several hosts, of which one can write (psycopg2 and psycopg)",
            """\
URL = "postgresql+psycopg2://user:password@/database?host=first:5432&host=second:5432"
engine = create_engine(URL, pool_pre_ping=True, connect_args={"target_session_attrs": "read-write"})""",
        ),
    ),
    first=(
        "terminating connection due to administrator command",
        "terminating connection because of crash of another server process",
        "terminating connection due to unexpected postmaster exit",
        "AdminShutdown",
        "CrashShutdown",
        "the database system is starting up",
        "the database system is shutting down",
        "the database system is in recovery mode",
        "in a read-only transaction",
        "ReadOnlySqlTransaction",
    ),
    also=(
        "server closed the connection unexpectedly",
        "SSL connection has been closed unexpectedly",
        "SSL SYSCALL error: EOF detected",
        "This probably means the server terminated abnormally before or while processing the request.",
    ),
    words=("failover", "restart", "replica", "primary", "switchover", "pool_pre_ping", "read-only"),
    links=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html#disconnect-handling-pessimistic",
        "https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS",
    ),
)
