"""A pooler gives the session to another client after each transaction."""

from harness.fixes import Fix
from harness.lookalikes.lookalike import Lookalike

LOOKALIKE = Lookalike(
    id="pooler_session",
    title="A pooler in transaction mode: what belongs to a session is shared or lost",
    heading='prepared statement "__asyncpg_stmt_1__" already exists, behind PgBouncer',
    look_at=(
        "the URL leads to PgBouncer or another pooler in transaction mode; pg_backend_pid() proves nothing"
        " there, and workers that share nothing fail too"
    ),
    description=(
        "In transaction mode a pooler lends a session of the server to a client for one transaction, then to"
        " another client. What belongs to the session stays in it: prepared statements, which psycopg 3 makes"
        " for a statement it has seen five times and asyncpg for every one; SET; advisory locks; temporary"
        " tables; LISTEN. Two workers give their statements the same name and meet in one session. psycopg2"
        " prepares nothing. NullPool, which is right behind a pooler, makes it no better."
    ),
    avoidance=(
        "Prepare no statements: psycopg 3 with prepare_threshold=None; asyncpg without its two caches. Or"
        " PgBouncer 1.21 or later with max_prepared_statements. Use SET LOCAL and pg_advisory_xact_lock(),"
        " which end with the transaction. LISTEN, session-level advisory locks and temporary tables need an"
        " engine that connects to the server directly, or session mode."
    ),
    fixes=(
        Fix(
            "psycopg 3",
            """\
engine = create_engine(URL, poolclass=NullPool, connect_args={"prepare_threshold": None})""",
        ),
        Fix(
            "asyncpg",
            """\
UNPREPARED = {"statement_cache_size": 0, "prepared_statement_cache_size": 0}
engine = create_async_engine(URL, poolclass=NullPool, connect_args=UNPREPARED)""",
        ),
        Fix(
            "Settings and locks that end with the transaction",
            """\
with engine.begin() as connection:
    connection.execute(text("set local statement_timeout = '5s'"))
    connection.execute(text("select pg_advisory_xact_lock(1)"))""",
        ),
    ),
    first=(
        'prepared statement "__asyncpg_stmt_1__" already exists',
        'prepared statement "__asyncpg_stmt_1__" does not exist',
        "pgbouncer with pool_mode set to",
        "DuplicatePreparedStatementError",
        "InvalidSQLStatementNameError",
        "unsupported startup parameter",
        "query_wait_timeout",
        "unnamed prepared statement does not exist",
        "InvalidCursorName",
        "server_login_retry",
        "pgbouncer cannot connect to server",
    ),
    also=(
        'prepared statement "_pg3_0" already exists',
        'prepared statement "_pg3_0" does not exist',
        "DuplicatePreparedStatement",
        "InvalidSqlStatementName",
        "no more connections allowed (max_client_conn)",
        "bind message supplies 1 parameters, but prepared statement",
        "you don't own a lock of type ExclusiveLock",
        "unrecognized configuration parameter",
    ),
    words=(
        "PgBouncer", "pooler", "transaction mode", "pool_mode", "Supavisor", "pgcat", "Odyssey", "RDS Proxy",
        "prepare_threshold", "statement_cache_size", "prepared statement", "advisory lock", "LISTEN",
        "search_path", "notifications", "temporary table", "statement_timeout", "NOTIFY",
    ),
    links=(
        "https://www.pgbouncer.org/features.html",
        "https://www.psycopg.org/psycopg3/docs/advanced/prepare.html#using-prepared-statements-with-pgbouncer",
        "https://docs.sqlalchemy.org/en/20/dialects/postgresql.html#prepared-statement-name-with-pgbouncer",
        "https://github.com/cbcoutinho/nextcloud-mcp-server/issues/1032",
    ),
)  # fmt: skip
