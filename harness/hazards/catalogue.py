"""The hazards in their order. Adding one is adding its file, and its name here."""

import importlib

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
)


def load(name: str) -> Hazard:
    """One hazard; its module is imported, the others are not."""
    if name not in IDS:
        raise PoolstartError(f"no hazard {name!r}", f"known are {', '.join(IDS)}")
    hazard: Hazard = importlib.import_module(f"harness.hazards.{name}").HAZARD
    return hazard


def load_all() -> tuple[Hazard, ...]:
    return tuple(load(name) for name in IDS)


def followed() -> tuple[Hazard, ...]:
    """Those that asv tries with every release."""
    return tuple(hazard for hazard in load_all() if hazard.follows_releases)
