"""The quick answer measures as many blocks of all strategies as fit into a minute."""

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
from harness.system import busy

LIMIT = 39.0
"""Seconds after which no block begins: the end of the last one and of the server take about six more."""

ROUNDS = 3
"""The number of blocks of each DataFrame setting that suffices for a quick answer."""

Report = Callable[[str], None]


def measure(
    server: Server,
    profile: Profile,
    report: Report,
    *,
    began: float,
    limit: float = LIMIT,
    clock: Callable[[], float] = time.monotonic,
) -> MeasuredRun:
    """Measure blocks without and with a DataFrame in turns.

    No block begins that is expected to end after `limit`; the first block without a DataFrame is always
    measured. `began` is a moment of `clock`. Times are in seconds.
    """
    with Supervision() as supervision:
        cells = [Cell(name, setting) for setting in DATAFRAMES for name in profile.strategies]
        plan = Plan(cells, server, profile, supervision, release=metadata.version("sqlalchemy"))
        plan.measured.running = busy.running_tasks()
        report("compiling bytecode")
        plan.warm_up()
        longest = dict.fromkeys(DATAFRAMES, 0.0)
        for number, setting in enumerate(DATAFRAMES * ROUNDS):
            # A block with a DataFrame has to create it first: until one was measured, expect twice the time.
            expected = longest[setting] or 2 * longest["none"]
            now = clock()
            if number and now - began + expected > limit:
                break
            chosen = [cell for cell in plan.cells if cell.dataframe == setting]
            plan.block(number, chosen, numbered(report, number // len(DATAFRAMES) + 1, len(chosen) + 1))
            longest[setting] = max(longest[setting], clock() - now)
        # There are too few blocks to leave any out: noisy ones are named instead.
        plan.measured.blocks = mark_noisy(plan.measured.blocks)
        plan.measured.min_quiet = len(plan.measured.blocks)
        return plan.measured


def numbered(report: Report, number: int, turns: int) -> Report:
    """A report that adds the numbers of the round and of the measurement to each message."""
    turn = count(1)
    return lambda what: report(f"measuring {what} (round {number} of {ROUNDS}, {next(turn)} of {turns})")
