"""A glance: as much as can be measured of the strategies in a minute, the most telling first."""

import time
from collections.abc import Callable
from importlib import metadata
from itertools import count

from harness.lifecycles.blocks import MeasuredRun, mark_noisy
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.lifecycles.plan import Plan
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.processes.supervision import Supervision

LIMIT = 45.0
"""Seconds after which no further block begins: the rest of a minute is for the end of the last one."""

ROUNDS = 3
"""Blocks of a cell, after which a glance has seen enough."""

Report = Callable[[str], None]


def measure(
    server: Server, profile: Profile, report: Report, *, began: float, limit: float = LIMIT
) -> MeasuredRun:
    """Blocks without a DataFrame and with one, in turns, for as long as the next should end within the limit.

    The first block without one is always measured. `began` is a moment of `time.monotonic`.
    """
    with Supervision() as supervision:
        cells = [Cell(name, setting) for setting in DATAFRAMES for name in profile.strategies]
        plan = Plan(cells, server, profile, supervision, release=metadata.version("sqlalchemy"))
        report("seeing that bytecode is in place")
        plan.warm_up()
        longest = dict.fromkeys(DATAFRAMES, 0.0)
        for number, setting in enumerate(DATAFRAMES * ROUNDS):
            # A DataFrame has to be made first: until it is known, it counts twice.
            usual = longest[setting] or 2 * longest["none"]
            now = time.monotonic()
            if number and now - began + usual > limit:
                break
            some = [cell for cell in plan.cells if cell.dataframe == setting]
            plan.block(number, some, numbered(report, number // len(DATAFRAMES) + 1, len(some) + 1))
            longest[setting] = max(longest[setting], time.monotonic() - now)
        # Too few to leave any out: what was disturbed is told instead.
        plan.measured.blocks = mark_noisy(plan.measured.blocks)
        plan.measured.min_quiet = len(plan.measured.blocks)
        return plan.measured


def numbered(report: Report, number: int, turns: int) -> Report:
    """Tells what is measured, and how far it is."""
    turn = count(1)
    return lambda what: report(f"measuring {what} (round {number} of {ROUNDS}, {next(turn)} of {turns})")
