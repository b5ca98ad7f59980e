"""The hazards in their order. Adding one is adding its file, and its name here."""

import importlib
from dataclasses import dataclass

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
)


@dataclass(frozen=True)
class NotReproduced:
    """A hazard of the field that cannot be had here."""

    title: str
    description: str
    reason: str
    """Why it is not reproduced."""
    links: tuple[str, ...]


NOT_REPRODUCED = (
    NotReproduced(
        title="Kerberos after a fork",
        description=(
            "libpq asks for GSSAPI encryption before anything else, by default. A worker that connects after"
            " its parent has connected dies of a segmentation fault inside the system's Kerberos."
            " gssencmode=disable, in the URL or as PGGSSENCMODE, is the cure."
        ),
        reason=(
            "It crashes in macOS's Kerberos framework, which does not bear a fork; on Linux libpq does not"
            " even begin without a ticket, and a ticket needs a key distribution center. Every connection of"
            " this suite is made with gssencmode=disable."
        ),
        links=(
            "https://github.com/psycopg/psycopg/issues/1136",
            "https://github.com/rails/rails/issues/38560",
        ),
    ),
)
"""What the field knows and this catalogue does not have."""


def load(name: str) -> Hazard:
    """One hazard; its module is imported, the others are not."""
    if name not in IDS:
        raise PoolstartError(f"no hazard {name!r}", f"known are {', '.join(IDS)}")
    hazard: Hazard = importlib.import_module(f"harness.hazards.all.{name}").HAZARD
    return hazard


def load_all() -> tuple[Hazard, ...]:
    return tuple(load(name) for name in IDS)


def followed() -> tuple[Hazard, ...]:
    """Those that asv tries with every release."""
    return tuple(hazard for hazard in load_all() if hazard.follows_releases)
