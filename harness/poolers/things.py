"""The catalogue of trials: what a session keeps for its client, and the ways to use it behind a pooler."""

from dataclasses import dataclass, field

from harness.drivers import ASYNCPG, PSYCOPG, PSYCOPG2, Driver

MEASURED = (PSYCOPG2, PSYCOPG, ASYNCPG)
"""The drivers that are tried and measured."""

POOLS = ("QueuePool", "NullPool")
"""SQLAlchemy's, in the client."""

DIRECT, SESSION, TRANSACTION = "direct", "session", "transaction"
ROUTES = (DIRECT, SESSION, TRANSACTION)
"""To the server itself, or through PgBouncer in one of these modes."""

WORKS = "works"
"""The outcome of a trial in which everything is as on a connection of one's own."""


@dataclass(frozen=True)
class Way:
    """A way to use a thing, tried by a function of `harness.poolers.inside`."""

    id: str
    title: str
    """As in a sentence; Markdown."""
    trial: str
    """The name of the function."""
    engine: dict[str, str] = field(default_factory=dict)
    """Arguments of create_engine by driver, as in code; a driver that is missing has none to give."""
    drivers: tuple[Driver, ...] = MEASURED
    """Those for which it exists."""
    settings: dict[str, str] = field(default_factory=dict)
    """Of PgBouncer."""
    since: tuple[int, ...] = ()
    """The first PgBouncer that has these settings; empty if all do."""

    def not_applicable(self, version: str) -> str:
        """Why this PgBouncer does not have it; empty if it has."""
        number = tuple(int(part) for part in version.split(".")[: len(self.since)])
        return "" if number >= self.since else f"PgBouncer {'.'.join(map(str, self.since))} or later has it"


@dataclass(frozen=True)
class Thing:
    """Something that a session keeps, with the usual way first."""

    id: str
    title: str
    ways: tuple[Way, ...]
    everywhere: bool = False
    """Whether all its ways are tried on all routes; otherwise only the usual one."""
    pools: tuple[str, ...] = POOLS
    prepared: bool = False
    """Whether it is about what drivers prepare; for all others they prepare nothing in transaction mode."""

    def tried(self, route: str) -> tuple[Way, ...]:
        """The ways that are tried on a route."""
        return self.ways if self.everywhere or route == TRANSACTION else self.ways[:1]


BEHIND_POOLER = {driver.name: driver.behind_pooler for driver in MEASURED if driver.behind_pooler}

OPTIONS = {
    PSYCOPG2.name: 'connect_args={"options": "-c search_path=app"}',
    PSYCOPG.name: 'connect_args={"options": "-c search_path=app"}',
    ASYNCPG.name: 'connect_args={"server_settings": {"search_path": "app"}}',
}
"""The search path in the startup packet."""

UNIQUE = {
    ASYNCPG.name: 'connect_args={"prepared_statement_name_func": lambda: f"__asyncpg_{uuid.uuid4()}__"}'
}

SUPPORT = {"max_prepared_statements": "100"}
NO_SUPPORT = {"max_prepared_statements": "0"}
"""Settings of PgBouncer: whether it follows prepared statements."""

SUPPORT_SINCE = (1, 21)

NUMBERED = "prepared_by_the_driver"

ONE_SESSION = {"default_pool_size": "1", "query_wait_timeout": "3"}

THINGS = (
    Thing(
        "numbered",
        "statements that the driver prepares under numbered names",
        (
            Way("default", "PgBouncer's default", NUMBERED),
            Way(
                "none",
                "the driver keeps no prepared statement",
                NUMBERED,
                BEHIND_POOLER,
                (PSYCOPG, ASYNCPG),
            ),
            Way("unique", "only unique names", NUMBERED, UNIQUE, (ASYNCPG,)),
            Way(
                "off",
                "`max_prepared_statements = 0`",
                NUMBERED,
                settings=NO_SUPPORT,
                since=SUPPORT_SINCE,
            ),
            Way(
                "on",
                "`max_prepared_statements = 100`",
                NUMBERED,
                settings=SUPPORT,
                since=SUPPORT_SINCE,
            ),
        ),
        prepared=True,
    ),
    Thing(
        "named",
        "`PREPARE` and `EXECUTE` of a named statement",
        (
            Way("usual", "in two transactions", "prepared_by_name"),
            Way(
                "on",
                "with `max_prepared_statements = 100`",
                "prepared_by_name",
                settings=SUPPORT,
                since=SUPPORT_SINCE,
            ),
            Way("within", "both, and `DEALLOCATE`, in one transaction", "prepared_within"),
        ),
    ),
    Thing(
        "set",
        "`SET`",
        (
            Way("usual", "`SET`", "setting"),
            Way("local", "`SET LOCAL` in each transaction", "local_setting"),
            Way("begin", '`SET LOCAL` in a listener for `"begin"`', "setting_at_begin"),
            Way(
                "reset",
                "`server_reset_query_always = 1`",
                "setting",
                settings={"server_reset_query_always": "1"},
            ),
        ),
    ),
    Thing(
        "search_path",
        "`search_path`",
        (
            Way("startup", "as a startup parameter, in `connect_args`", "search_path", OPTIONS),
            Way(
                "ignored",
                "the same with `ignore_startup_parameters`",
                "search_path",
                OPTIONS,
                settings={"ignore_startup_parameters": "options,search_path"},
            ),
            Way(
                "tracked",
                "the same with `track_extra_parameters = search_path`",
                "search_path",
                OPTIONS,
                settings={"track_extra_parameters": "IntervalStyle, search_path"},
                since=(1, 20),
            ),
            Way("connect", '`SET` in a listener for `"connect"`', "search_path_at_connect"),
            Way("begin", '`SET LOCAL` in a listener for `"begin"`', "search_path_at_begin"),
        ),
    ),
    Thing(
        "lock",
        "advisory locks",
        (
            Way("usual", "`pg_advisory_lock()`", "lock"),
            Way("transaction", "`pg_advisory_xact_lock()`", "lock_in_transaction"),
        ),
    ),
    Thing("listen", "`LISTEN`", (Way("usual", "`LISTEN`", "listen"),)),
    Thing(
        "temporary",
        "temporary tables",
        (
            Way("usual", "`CREATE TEMPORARY TABLE`", "temporary_table"),
            Way("on_commit", "with `ON COMMIT DROP`", "temporary_table_in_transaction"),
        ),
    ),
    Thing("backend", "`pg_backend_pid()`", (Way("usual", "`pg_backend_pid()`", "backend"),)),
    Thing(
        "fork",
        "a connection that a forked worker inherits",
        (
            Way("used", "used by both", "inherited_and_used"),
            Way("disposed", "`dispose()` in the worker", "inherited_and_closed"),
            Way("dropped", "`dispose(close=False)` in the worker", "inherited_and_dropped"),
        ),
        everywhere=True,
        pools=POOLS[:1],
    ),
    Thing(
        "orphan",
        "a forked worker that outlives its parent",
        (
            Way("kept", "it inherits an open connection", "orphan", settings=ONE_SESSION),
            Way(
                "closed",
                "`dispose()` in the parent before the fork",
                "orphan_of_closed",
                settings=ONE_SESSION,
            ),
        ),
        everywhere=True,
        pools=POOLS[:1],
    ),
)


def common(driver: Driver, route: str) -> str:
    """The arguments of create_engine that a driver needs on a route, whatever is tried; as in code."""
    return driver.behind_pooler if route == TRANSACTION else ""
