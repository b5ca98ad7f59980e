"""The table: every hazard against every strategy, several trials at a time."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from queue import SimpleQueue

import sqlalchemy

from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.hazards.runner import Trials
from harness.postgres.server import Server
from harness.system.errors import PoolstartError

JOBS = 2
"""Trials at a time. Most of a trial is waiting; the verdicts do not depend on how many there are."""


def measure(
    server: Server,
    hazards: Sequence[Hazard],
    strategies: Sequence[str],
    seen: Callable[[Outcome], None],
    repeat: int = 1,
    wanted: Callable[[Hazard, str], bool] = lambda hazard, strategy: True,
    *,
    release: str = sqlalchemy.__version__,
    python: str | Path = sys.executable,
) -> list[Outcome]:
    """All trials, each outcome shown to `seen` as it comes; the list is in the order of the arguments.

    A reproduction that comes to no result is an outcome too: the others still run.
    """
    idle: SimpleQueue[Trials] = SimpleQueue()

    def outcome(hazard: Hazard, strategy: str) -> Outcome:
        trials = idle.get()
        try:
            return trials.run(hazard, strategy)
        except PoolstartError as error:
            return Outcome(hazard.id, strategy, Verdict.NO_RESULT, str(error))
        finally:
            idle.put(trials)

    # An interruption first ends the trials (the inner context), and then finds no thread waiting for one.
    with ThreadPoolExecutor(JOBS) as threads, ExitStack() as stack:
        for _ in range(JOBS):
            idle.put(stack.enter_context(Trials(server, release=release, python=python)))
        futures = [
            threads.submit(outcome, hazard, strategy)
            for _, hazard, strategy in product(range(repeat), hazards, strategies)
            if wanted(hazard, strategy)
        ]
        stack.callback(lambda: [future.cancel() for future in futures])
        for future in as_completed(futures):
            seen(future.result())
        return [future.result() for future in futures]
