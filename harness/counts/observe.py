"""Probes: instrumented workers of one parent, whose traffic with the server passes through a relay.

Probes are never timed, so probes of several strategies may run at the same time. Their hash seed is fixed.
"""

import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import cast

from harness import drivers, strategies
from harness.counts import checks
from harness.counts.messages import ProbeReport, ProbesOrder, ProbesParentReport
from harness.drivers import Driver
from harness.postgres.relay import Relay, WireEvent
from harness.postgres.server import Server
from harness.processes.child import run_program
from harness.processes.errors import ChecksFailed, NotApplicable

VARIABLES = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
"""Environment variables of the probes and their parent."""

DEADLINE_S = 60.0
"""Seconds for one probe: counting calls slows it down."""

PROBES = BARE, PLAIN, CALLS = ("bare", "plain", "calls")
"""A worker that does nothing, one that reads counters between its phases, and one that counts its calls."""

MEASURED, IMPORTS, MEMORY = "measured", "imports", "memory"
"""Further probes: the worker that is timed elsewhere, one that counts the calls of its imports, and one that
traces its allocations."""

APPLICATION = "poolstart-exact"
"""The `application_name` of the probes."""

PHASES = START, FIRST_QUERY, SECOND_QUERY = ("start", "first_query", "second_query")
"""Imports until the worker's first line; from there to its first row; from there to its second row."""

QUERIES = (FIRST_QUERY, SECOND_QUERY)


@dataclass(frozen=True)
class Observation:
    """The reports of some probes of one strategy."""

    parent: ProbesParentReport
    """The parent's report about itself."""
    probes: dict[str, ProbeReport]
    """The report of each probe, by name."""
    events: dict[str, list[WireEvent]]
    """Traffic between the plain probe and the server, by query."""


def observe(
    strategy: str,
    server: Server,
    *,
    release: str,
    python: str | Path = sys.executable,
    probes: Sequence[str] = PROBES,
    driver: Driver = drivers.MEASURED,
) -> Observation:
    """Run probes of one parent, one after another.

    Raises `NotApplicable`, or `PoolstartError` if a probe fails or does not do what it should.
    """
    entry = strategies.get(strategy).with_driver(driver)
    if reason := entry.not_applicable(release) or driver.not_applicable(release):
        raise NotApplicable(reason)
    if server.transport == "tls":
        raise NotApplicable("encrypted traffic cannot be counted between worker and server")
    mark = uuid.uuid4().hex
    what = f"counting {strategy}"
    with Relay(server) as wire:
        order: ProbesOrder = {
            "strategy": strategy,
            "driver": driver.name,
            "url": wire.sqlalchemy_url(APPLICATION, driver),
            "mark": mark,
            "deadline": DEADLINE_S,
        }
        first, *reports = run_program(
            what,
            "harness.counts.inside.program",
            [json.dumps(order), *probes],
            DEADLINE_S * (1 + len(probes)),
            python=python,
            variables=VARIABLES,
        )
        parent = cast(ProbesParentReport, first)
        if parent["sqlalchemy"] != release:
            raise ChecksFailed(f"{what}: {python} imports SQLAlchemy {parent['sqlalchemy']}, not {release}")
        by_name = dict(zip(probes, cast(list[ProbeReport], reports), strict=True))
        for name, report in by_name.items():
            if problem := checks.problem(entry, name, mark, parent["pid"], report):
                raise ChecksFailed(f"{what}: the probe {name!r} does not count: {problem}")
        moments = [moment for moment, _ in by_name[PLAIN]["readings"]]
        events = dict(zip(QUERIES, (wire.between(*both) for both in pairwise(moments)), strict=True))
    return Observation(parent, by_name, events)
