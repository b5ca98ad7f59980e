"""The counts of one strategy with one release: statements, round trips, modules, code, calls, collections.

They leave out what the interpreter does by itself, which is not SQLAlchemy's work and differs between builds
of one version: modules of a worker that does nothing, functions of the import system, and poolstart's own
code.

Allocated blocks (`sys.getallocatedblocks`) are missing: they differ by a thousandth from run to run, unless
the system's address space layout is not randomized. Instructions are in `harness.instructions`.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from harness import drivers
from harness.counts.observe import BARE, CALLS, PHASES, PLAIN, QUERIES, Observation, observe
from harness.drivers import Driver
from harness.postgres import relay
from harness.postgres.relay import WireEvent
from harness.postgres.server import Server

NOT_COUNTED = ("harness", "_sysconfigdata_", "encodings.")
"""Prefixes of modules that are poolstart's own, or depend on the interpreter's build: a debug build looks up
codecs that another one has ready."""

IMPORT_SYSTEM = (
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "_frozen_importlib",
    "_frozen_importlib_external",
    "zipimport",
)
"""Modules whose functions are not counted: to find a module takes as many calls as there are places to look
in."""


def package_of(module: str) -> str:
    """`sqlalchemy`, the module of a driver, `stdlib` or `other`."""
    top = module.partition(".")[0]
    if top == "sqlalchemy" or top in {driver.module for driver in drivers.DRIVERS}:
        return top
    return "stdlib" if top in sys.stdlib_module_names else "other"


@dataclass(frozen=True)
class Counts:
    """The counts of one strategy with one release, in detail."""

    strategy: str
    release: str
    python: str
    c_extensions: bool
    statements: dict[str, list[str]]
    """Their texts, by query."""
    round_trips: dict[str, int]
    """By query."""
    code: dict[str, int]
    """Bytes of code objects, by module."""
    calls: dict[str, dict[str, int]]
    """By query and function (`module:qualified name`)."""
    collections: dict[str, list[int]]
    """By phase and generation."""

    @property
    def figures(self) -> dict[str, int]:
        """Every count by its id (`harness.counts.registry`)."""
        figures = {"modules": len(self.code), "code_bytes": sum(self.code.values())}
        for query in QUERIES:
            figures[f"statements_{query}"] = len(self.statements[query])
            figures[f"round_trips_{query}"] = self.round_trips[query]
            figures[f"calls_{query}"] = sum(self.calls[query].values())
        for phase in PHASES:
            for generation, number in enumerate(self.collections[phase]):
                figures[f"collections_{phase}_{generation}"] = number
        return figures


def count(
    strategy: str,
    server: Server,
    *,
    release: str,
    python: str | Path = sys.executable,
    driver: Driver = drivers.MEASURED,
) -> Counts:
    """Count one strategy. Raises as `observe` does."""
    return counts(strategy, observe(strategy, server, release=release, python=python, driver=driver))


def counts(strategy: str, observation: Observation) -> Counts:
    """The counts that follow from the reports of `PROBES`."""
    plain, calls = observation.probes[PLAIN], observation.probes[CALLS]
    at_start = plain["inherited"] if plain["mark"] else plain["at_start"]
    return Counts(
        strategy=strategy,
        release=observation.parent["sqlalchemy"],
        python=observation.parent["python"].split()[0],
        c_extensions=observation.parent["c_extensions"],
        statements={query: statements(events) for query, events in observation.events.items()},
        round_trips={query: round_trips(events) for query, events in observation.events.items()},
        code=code(observation, NOT_COUNTED),
        calls=dict(zip(QUERIES, map(functions, calls["calls"]), strict=True)),
        collections=by_phase([at_start, *(collections for _, collections in plain["readings"])]),
    )


def code(observation: Observation, without: tuple[str, ...]) -> dict[str, int]:
    """Bytes of code objects by module, without modules that a worker which does nothing has loaded.

    `without` are prefixes of further modules.
    """
    bare = set(observation.probes[BARE]["modules"])
    return {
        module: size
        for module, size in observation.probes[PLAIN]["code"].items()
        if module not in bare and not module.startswith(without)
    }


def by_phase(collections: Sequence[Sequence[int]]) -> dict[str, list[int]]:
    """Collections by phase and generation; `collections` are running totals at the ends of the phases."""
    return {
        phase: [after - before for before, after in zip(*totals, strict=True)]
        for phase, totals in zip(PHASES, pairwise(collections), strict=True)
    }


def statements(events: Sequence[WireEvent]) -> list[str]:
    """The texts of the statements."""
    return [event.text for event in events if event.kind == relay.STATEMENT]


def round_trips(events: Sequence[WireEvent]) -> int:
    return sum(event.kind in (relay.CONNECT, relay.TURN) for event in events)


def functions(calls: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """Calls by function, without the import system's and poolstart's own."""
    numbers: Counter[str] = Counter()
    for module, name, number in calls:
        if module not in IMPORT_SYSTEM and not module.startswith(NOT_COUNTED):
            numbers[f"{module}:{name}"] += number
    return dict(numbers)
