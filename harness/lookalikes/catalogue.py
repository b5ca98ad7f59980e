"""All look-alikes, and the observations that tell them from hazards before any search.

To add one, write its file in `all/`, and add its name to `IDS`.
"""

import tomllib
from dataclasses import dataclass
from importlib import resources

from harness.lookalikes.lookalike import Lookalike
from harness.system.errors import PoolstartError
from harness.system.structure import structure

IDS = (
    "idle_cut",
    "failover",
    "pooler_session",
    "event_loop",
    "shared_by_threads",
    "lock_wait",
    "leaked_connections",
)


@dataclass(frozen=True)
class FirstLook:
    """An observation, and the page that it leads to."""

    look: str
    """The observation, in Markdown."""
    entry: str
    """The page, as an entry of the search."""


QUERY = "select pg_backend_pid()"

FIRST_LOOK = (
    FirstLook(
        "a process was forked (fork, preload, prefork) after the program had connected, and"
        f" `{QUERY}` returns the same number in both: two processes use one connection",
        "hazard.shared_socket",
    ),
    FirstLook("the first query after a pause fails, and the next one works", "lookalike.idle_cut"),
    FirstLook("the server was restarted, or another one took over", "lookalike.failover"),
    FirstLook(
        f"a pooler such as PgBouncer is in between (then `{QUERY}` proves nothing)",
        "lookalike.pooler_session",
    ),
    FirstLook("threads use one session, connection or cursor", "lookalike.shared_by_threads"),
    FirstLook("an engine is used in more than one event loop of asyncio", "lookalike.event_loop"),
    FirstLook(
        "a query waits: `select pid, pg_blocking_pids(pid), query from pg_stat_activity` names the session"
        " it waits for",
        "lookalike.lock_wait",
    ),
    FirstLook(
        "nothing fails, but work is not done: a scheduler, exporter or listener has its thread in the parent",
        "hazard.missing_thread",
    ),
    FirstLook(
        "`select current_user, current_schemas(true)` differs between parent and worker",
        "hazard.lost_settings",
    ),
)
"""The observations to make before anything else, in this order."""


def load(name: str) -> Lookalike:
    """Read one look-alike. Raises `PoolstartError` if there is none of that name."""
    if name not in IDS:
        raise PoolstartError(f"no look-alike {name!r}", f"known are {', '.join(IDS)}")
    source = resources.files("harness.lookalikes.all") / f"{name}.toml"
    fields = tomllib.loads(source.read_text(encoding="utf-8"))
    for field, text in fields.items():
        if isinstance(text, str):
            fields[field] = " ".join(text.split())
    return structure(Lookalike, {"id": name, **fields})


def load_all() -> tuple[Lookalike, ...]:
    """All look-alikes, in the order of the catalogue."""
    return tuple(map(load, IDS))
