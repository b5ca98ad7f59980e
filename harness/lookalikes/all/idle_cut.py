"""An idle connection is ended by the server, a proxy or a firewall."""

from harness.fixes import Fix
from harness.lookalikes.lookalike import Lookalike

LOOKALIKE = Lookalike(
    id="idle_cut",
    title="An idle connection that was cut",
    heading="server closed the connection unexpectedly, at the first query after a pause",
    look_at=(
        "only the first query after a pause fails, the next one works, and it also happens in a process that"
        " shares nothing"
    ),
    description=(
        "Something between the pool and the session ends connections that are idle for too long: the server"
        " (idle_session_timeout), a load balancer, a firewall, NAT, a pooler (server_idle_timeout). The pool"
        " does not notice, and hands out the dead connection. The driver reports it with the messages of a"
        " connection that another process has closed, but no other process is involved."
    ),
    avoidance=(
        "Let the pool test each connection when it is checked out, pool_pre_ping=True, or replace it before"
        " the limit, pool_recycle=SECONDS. Behind a firewall that drops packets silently, add keepalives, so"
        " that a query does not wait for minutes. Treating the pool in workers changes nothing."
    ),
    fixes=(
        Fix(
            "Wherever the engine is made", "engine = create_engine(URL, pool_pre_ping=True, pool_recycle=300)"
        ),
        Fix(
            "Behind a firewall that drops packets (psycopg2 and psycopg)",
            """\
KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 3}
engine = create_engine(URL, pool_pre_ping=True, connect_args=KEEPALIVES)""",
        ),
    ),
    first=(
        "terminating connection due to idle-session timeout",
        "IdleSessionTimeout",
        "could not receive data from server: Connection timed out",
        "could not receive data from server: Connection reset by peer",
        "SSL SYSCALL error: Connection timed out",
        "SSL SYSCALL error: Connection reset by peer",
        "consuming input failed: server closed the connection unexpectedly",
        "connection was closed in the middle of operation",
        "the connection is lost",
        "The client was disconnected by the server because of inactivity",
        "SSL SYSCALL error: Operation timed out",
        "Software caused connection abort",
        "Can't reconnect until invalid transaction is rolled back",
    ),
    also=(
        "server closed the connection unexpectedly",
        "SSL connection has been closed unexpectedly",
        "SSL SYSCALL error: EOF detected",
        "This probably means the server terminated abnormally before or while processing the request.",
        "connection already closed",
        "the connection is closed",
        "MySQL server has gone away",
        "Lost connection to MySQL server during query",
    ),
    words=("pool_pre_ping", "pool_recycle", "idle", "overnight", "pause", "keepalive", "firewall", "stale"),
    links=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html#dealing-with-disconnects",
        "https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-SESSION-TIMEOUT",
        "https://github.com/workfloworchestrator/orchestrator-core/issues/1550",
    ),
)
