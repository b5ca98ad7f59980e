"""The matrix of trials: each hazard under each strategy, several trials at a time."""

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import replace
from itertools import product
from pathlib import Path
from queue import SimpleQueue

import sqlalchemy

from harness import drivers
from harness.drivers import Driver
from harness.hazards import expected, suite
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.hazards.runner import Trials
from harness.postgres.server import Server
from harness.records.provenance import Provenance
from harness.system.errors import PoolstartError

JOBS = 3
"""Trials at a time: most of a trial is waiting, and the verdicts do not depend on it."""


def interpreter(driver: Driver = drivers.MEASURED) -> str | Path:
    """An interpreter with this SQLAlchemy and the driver: this one for the default driver.

    Raises `PoolstartError` if the driver cannot be installed.
    """
    if driver == drivers.MEASURED:
        return sys.executable
    # asv takes most of a second to import.
    from harness.releases import interpreters

    return interpreters.of_release(sqlalchemy.__version__, driver)


def measure(
    server: Server,
    hazards: Sequence[Hazard],
    strategies: Sequence[str],
    on_outcome: Callable[[Outcome], None],
    repeat: int = 1,
    wanted: Callable[[Hazard, str], bool] = lambda hazard, strategy: True,
    *,
    release: str = sqlalchemy.__version__,
    python: str | Path = "",
    driver: Driver = drivers.MEASURED,
    conditions: bool = False,
) -> list[Outcome]:
    """Run the trials of these hazards and strategies for which `wanted` is true, each `repeat` times.

    `python` is an interpreter that has the release and the driver; by default that of `interpreter`. With
    `conditions`, an affected strategy is tried again with the hazard's condition kept. `on_outcome` is
    called with each outcome as soon as it is known. Returns all outcomes in the order of the arguments; a
    trial that fails has an outcome too, with the verdict `NO_RESULT`, and the others still run.
    """
    python = python or interpreter(driver)
    idle: SimpleQueue[Trials] = SimpleQueue()

    def outcome_of(hazard: Hazard, strategy: str) -> Outcome:
        trials = idle.get()
        try:
            outcome = trials.run(hazard, strategy)
            if conditions and hazard.condition and outcome.verdict is Verdict.AFFECTED:
                return replace(outcome, with_condition=trials.run_with_condition(hazard, strategy))
            return outcome
        except PoolstartError as error:
            return Outcome(hazard.id, strategy, Verdict.NO_RESULT, str(error))
        finally:
            idle.put(trials)

    # If this is interrupted, the inner context ends the trials first, so that no thread still waits for one.
    with ThreadPoolExecutor(JOBS) as threads, ExitStack() as stack:
        for _ in range(JOBS):
            idle.put(stack.enter_context(Trials(server, release=release, python=python, driver=driver)))
        futures = [
            threads.submit(outcome_of, hazard, strategy)
            for _, hazard, strategy in product(range(repeat), hazards, strategies)
            if wanted(hazard, strategy)
        ]
        stack.callback(lambda: [future.cancel() for future in futures])
        for future in as_completed(futures):
            on_outcome(future.result())
        return [future.result() for future in futures]


def for_the_same_versions(
    hazards: Sequence[Hazard], strategies: Sequence[str], here: Provenance
) -> list[Outcome]:
    """The outcomes on record that a trial would only repeat, because everything it depends on is the same.

    That is the release of SQLAlchemy, driver, Python, server, the libraries of the DataFrames and the code of
    the trial, but not the machine, since no verdict depends on it. A hazard is left out if it has figures,
    which do depend on the machine, if it needs a server of its own, or if this machine lacks what it needs.
    """
    table = expected.load(here.python, expected.driver_of(here)).get(expected.series(here.release))
    return [
        outcome
        for hazard in hazards
        if not (hazard.figures or hazard.needs_tls or hazard.fills_server or hazard.missing())
        for part in (table.parts if table else ())
        if part.code.get(hazard.id) == suite.digest(hazard.id)
        if same_versions(part.provenance_of(hazard.id), here)
        for strategy in strategies
        if (outcome := part.outcome(hazard.id, strategy)) and outcome.verdict is not Verdict.NOT_TRIED
    ]


def same_versions(recorded: Provenance, here: Provenance) -> bool:
    """Whether a row was measured with the versions installed here; it may have had more libraries."""
    names = ("release", "driver", "python", "server")
    frames = set(here.frames.split(", ")) <= set(recorded.frames.split(", "))
    return frames and all(getattr(recorded, name) == getattr(here, name) for name in names)
