"""Run trials: one hazard under one strategy, in a parent process of its own."""

import json
import os
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, TypedDict

import sqlalchemy

from harness import drivers, strategies
from harness.drivers import Driver
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.postgres import binaries, embedded, locate
from harness.postgres.server import Server
from harness.processes.child import Child
from harness.processes.supervision import Supervision
from harness.system.errors import PoolstartError
from harness.system.structure import structure

REQUIRE_TLS = "POOLSTART_REQUIRE_TLS"
"""Environment variable: if `1`, a missing TLS server is an error; otherwise hazards of TLS are not tried."""


class TrialReport(TypedDict):
    """What a reproduction reports (`harness.hazards.inside.program`)."""

    affected: bool
    readings: dict[str, dict[str, Any]]
    """The fields of a `HazardReading`, by figure."""
    story: list[dict[str, Any]]
    """The fields of each `StoryEvent`."""


class Trials:
    """Runs trials against one server; a context manager that ends all processes it has started.

    `python` is an interpreter that has this `release` of SQLAlchemy, the driver and the suite's other
    packages.
    """

    def __init__(
        self,
        server: Server,
        *,
        release: str = sqlalchemy.__version__,
        python: str | Path = sys.executable,
        driver: Driver = drivers.MEASURED,
    ) -> None:
        self._server = server
        self._release = release
        self._python = python
        self._driver = driver
        self._supervision = Supervision()
        # One thread may close the trials while another is starting a program.
        self._starting = threading.Lock()
        self._ended = False
        self._fillable_server: Server | None = None
        self._tls: Server | None = server if server.transport == "tls" else None

    def __enter__(self) -> "Trials":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._starting:
            self._ended = True
        self._supervision.close()

    def run(self, hazard: Hazard, strategy: str) -> Outcome:
        """Run one trial. Raises `PoolstartError` if the reproduction has no result."""
        entry = strategies.get(strategy)
        server = self._server
        reason = (
            entry.not_applicable(self._release)
            or self._driver.not_applicable(self._release)
            or hazard.of_another_driver(self._driver)
            or entry.unwritten(self._driver)
            or hazard.not_applicable(entry)
        )
        if reason:
            return Outcome(hazard.id, strategy, Verdict.NOT_APPLICABLE, reason)
        # The driver's environment has the packages that a hazard about the driver needs.
        missing = "" if hazard.driver == self._driver.name != drivers.MEASURED.name else hazard.missing()
        if self._driver != drivers.MEASURED and not hazard.tried_with(self._driver):
            missing = f"{hazard.id} is tried with {hazard.driver} only"
        if not missing and hazard.needs_tls:
            try:
                server = self._tls_server()
            except binaries.NoTLS as error:
                if os.environ.get(REQUIRE_TLS) == "1":
                    raise
                missing = error.problem
        if missing:
            return Outcome(hazard.id, strategy, Verdict.NOT_TRIED, missing)
        begin = time.monotonic()
        report = self._program(hazard, strategy, server)
        return structure(
            Outcome,
            {
                "hazard": hazard.id,
                "strategy": strategy,
                "verdict": verdict_of(report),
                "seconds": time.monotonic() - begin,
                "readings": report["readings"],
                "story": report["story"],
            },
        )

    def run_with_condition(self, hazard: Hazard, strategy: str) -> Verdict:
        """Run a trial in which the program keeps the hazard's condition; returns its verdict.

        The hazard must have a condition, and apply to the strategy. Raises `PoolstartError` if the
        reproduction has no result.
        """
        assert hazard.condition
        server = self._tls_server() if hazard.needs_tls else self._server
        return verdict_of(self._program(hazard, strategy, server, hazard.condition.id))

    def _program(self, hazard: Hazard, strategy: str, server: Server, *condition: str) -> TrialReport:
        if hazard.fills_server:
            server = self._server_of_its_own()
        scratch = self._supervision.directory()
        with self._starting:
            if self._ended:
                raise PoolstartError(f"{hazard.id} under {strategy} was interrupted")
            child = Child(
                self._supervision,
                [
                    self._python,
                    "-m",
                    "harness.hazards.inside.program",
                    hazard.id,
                    strategy,
                    self._driver.name,
                    scratch,
                    *condition,
                ],
                directory=scratch,
                importable=strategies.places(strategy),
                variables={locate.RUN: server.to_json()},
            )
        try:
            child.wait(
                hazard.deadline,
                f"no result for {hazard.id} under {strategy}: the reproduction",
                "run it again; if it stays, the reproduction does not fit this release or server",
            )
            report: TrialReport = json.loads(child.output.read_text())
            return report
        finally:
            child.close()

    def _server_of_its_own(self) -> Server:
        if self._fillable_server is None:
            self._fillable_server = embedded.start(self._supervision)
        return self._fillable_server

    def _tls_server(self) -> Server:
        if self._tls is None:
            self._tls = embedded.start(self._supervision, tls=True)
        return self._tls


def verdict_of(report: TrialReport) -> Verdict:
    return Verdict.AFFECTED if report["affected"] else Verdict.SURVIVES
