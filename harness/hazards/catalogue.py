"""All hazards in order. To add one, write its file in `all/`, and add its name to `IDS`."""

import importlib
from dataclasses import dataclass

from harness.drivers import MEASURED, Driver
from harness.hazards.hazard import Hazard
from harness.system.errors import PoolstartError

IDS = (
    "inherited_lock",
    "own_lock",
    "pool_lock",
    "shared_socket",
    "interleaved",
    "wrong_answer",
    "torn_message",
    "tls_broken",
    "parent_closed",
    "lost_transaction",
    "exhausted_pool",
    "half_initialized",
    "orphaned_backend",
    "copied_frame",
    "module_frame",
    "unguarded_main",
    "preload_shared",
    "sqlite_shared",
    "unpicklable",
    "import_lock",
    "lazy_executor",
    "preping_tls",
    "driver_finalizer",
    "inherited_session",
    "handler_copy",
    "masked_url",
    "max_connections",
    "native_threads",
    "preload_main",
    "missing_thread",
    "copied_ids",
    "startup_race",
    "lost_settings",
    "lost_values",
    "uncommitted_parent",
    "copied_signals",
    "reused_descriptor",
    "native_lock",
    "asyncpg_loop",
)


@dataclass(frozen=True)
class NotReproduced:
    """A known hazard that cannot be reproduced here."""

    title: str
    description: str
    reason: str
    """Why it is not reproduced."""
    links: tuple[str, ...]


NOT_REPRODUCED = (
    NotReproduced(
        title="Kerberos after a fork",
        description=(
            "By default libpq first asks for GSSAPI encryption. On macOS a worker that connects after its"
            " parent has connected dies of a segmentation fault inside the system's Kerberos."
            " gssencmode=disable, in the URL or as PGGSSENCMODE, is the cure."
        ),
        reason=(
            "It crashes in macOS's Kerberos framework, which does not survive a fork. On Linux libpq calls"
            " gss_acquire_cred before each connect too, with or without a ticket: there its lock, held by"
            " another thread at the fork, makes the worker hang, as native_lock shows for another lock of the"
            " libraries. It is held too briefly to force: with two threads of the parent connecting all the"
            " time, one of 300 forked workers hung in one session, and none of 1,500 in another. Every"
            " connection of this suite is made with gssencmode=disable."
        ),
        links=(
            "https://github.com/psycopg/psycopg/issues/1136",
            "https://github.com/rails/rails/issues/38560",
        ),
    ),
)
"""Known hazards without a reproduction; the page lists them with the reason."""


def load(name: str) -> Hazard:
    """Import one hazard, and no other. Raises `PoolstartError` if there is none of that name."""
    if name not in IDS:
        raise PoolstartError(f"no hazard {name!r}", f"known are {', '.join(IDS)}")
    hazard: Hazard = importlib.import_module(f"harness.hazards.all.{name}").HAZARD
    return hazard


def load_all() -> tuple[Hazard, ...]:
    """All hazards, in the order of the catalogue."""
    return tuple(load(name) for name in IDS)


def tried_with(driver: Driver) -> tuple[Hazard, ...]:
    """The hazards that are tried with a driver; with the default driver, those about other drivers too."""
    return tuple(hazard for hazard in load_all() if driver == MEASURED or hazard.tried_with(driver))


def followed() -> tuple[Hazard, ...]:
    """The hazards that asv tries with every release."""
    return tuple(hazard for hazard in load_all() if hazard.follows_releases)
