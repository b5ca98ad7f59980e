"""The conditions that exclude hazards: a small, closed set of things that a program can make sure of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """One thing that a program can make sure of."""

    id: str
    label: str
    """A few words, for tables."""
    sentence: str
    """What must hold, exactly; Markdown."""


ONE_THREAD = Condition(
    "one_thread",
    "one thread",
    "The parent has no other thread when it starts a worker; threads inside native libraries count.",
)
NO_LOCK = Condition("no_lock", "no lock held", "The thread that starts a worker holds no lock.")
NO_TRANSACTION = Condition(
    "no_transaction",
    "no open transaction",
    "When a worker starts, the parent has no transaction or ORM session open, and no connection checked out.",
)
COMMITTED = Condition(
    "committed",
    "committed first",
    "The parent commits before it starts a worker, or sends a task, that needs its rows.",
)
NO_OTHER_CONNECTION = Condition(
    "no_other_connection",
    "no other connection",
    "When a worker starts, the parent has no connection open outside the engine's pool, such as Django's.",
)
PSYCOPG = Condition(
    "psycopg",
    "psycopg",
    "The driver leaves alone what another process opened, as psycopg2 and psycopg do; mysqlclient does not.",
)
NO_QUERY_BETWEEN = Condition(
    "no_query_between",
    "no query in between",
    "The parent sends no query between disposing of its pool and the start of the last worker.",
)
NO_CONNECT_AT_IMPORT = Condition(
    "no_connect_at_import",
    "no connect at import",
    "No module connects to the database while it is imported.",
)
GUARD = Condition(
    "guard",
    "main guard",
    'Under `if __name__ == "__main__":`, and only there, the script starts workers, loads data and connects.',
)
URL_PASSED = Condition(
    "url_passed",
    "URL passed",
    "Workers get the URL with its password, by `render_as_string(hide_password=False)`, not the engine.",
)
ONE_FACTORY = Condition(
    "one_factory",
    "one engine factory",
    "One function makes the engine with all its settings, and the parent and each worker call it.",
)
VALUES_PASSED = Condition(
    "values_passed",
    "values passed",
    "Workers get values as arguments, not from globals or environment variables that are set at run time.",
)
SPARE_SESSIONS = Condition(
    "spare_sessions",
    "sessions to spare",
    "The server allows as many sessions as all processes may use: `workers x (pool_size + max_overflow)`.",
)
OWN_GENERATORS = Condition(
    "own_generators",
    "own generators",
    "Each worker makes its own generators of identifiers and random numbers, or the database does.",
)
SIGNALS_RESET = Condition(
    "signals_reset",
    "signals reset",
    "A worker first resets what it inherited: `signal.set_wakeup_fd(-1)`, and the default handlers.",
)
NO_RUNNING_LOOP = Condition(
    "no_running_loop",
    "no running loop",
    "Workers start before an event loop runs that has used asyncpg, not from within it.",
)
DONE_ONCE = Condition(
    "done_once",
    "start-up work done once",
    "One process creates tables and first rows: before workers start, or each under a lock of the server.",
)

ALL = tuple(each for each in list(globals().values()) if isinstance(each, Condition))
"""In the order in which pages list them."""
