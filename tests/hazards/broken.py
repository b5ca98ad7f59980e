"""Strategies with a cure taken away or put in, for the tests that must see the verdict turn."""

import threading
from dataclasses import replace

from sqlalchemy.engine import Engine

from harness import strategies, treatments

DISPOSE = strategies.get("fork_dispose")


def path(name: str) -> str:
    """How `strategies.get` finds a strategy of this module."""
    return f"{__name__}:{name}"


def dispose_and_close(engine: Engine) -> Engine:
    engine.dispose()
    return engine


def wait_for_ever(engine: Engine) -> None:
    threading.Event().wait()


def fail(engine: Engine) -> None:
    raise LookupError("no such parent")


FORGETS_DISPOSE = replace(DISPOSE, id="forgets_dispose", in_worker=treatments.keep)
DROPS_CLOSE_FALSE = replace(DISPOSE, id="drops_close_false", in_worker=dispose_and_close)
LOSES_NULLPOOL = replace(strategies.get("nullpool"), id="loses_nullpool", pool="")
FORKS_INSTEAD = replace(
    strategies.get("spawn"), id="forks_instead", start_method="fork", in_worker=treatments.keep
)
DISPOSES_BEFORE = replace(DISPOSE, id="disposes_before", before_start=Engine.dispose)
SPAWNS_INSTEAD = replace(DISPOSE, id="spawns_instead", start_method="spawn", in_worker=treatments.create)
HANGS_ELSEWHERE = replace(DISPOSE, id="hangs_elsewhere", in_worker=wait_for_ever)
"""Its workers hang, but in their own code."""
HANGS = replace(DISPOSE, id="hangs", before_start=wait_for_ever)
"""Its parent never starts a worker."""
FAILS = replace(DISPOSE, id="fails", before_start=fail)
