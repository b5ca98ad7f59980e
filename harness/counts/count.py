"""What repeats exactly: statements, round trips, calls, modules, code, collections.

Counted in lifecycles of their own that are never timed, so that all strategies are counted side by side. The
hash seed is fixed. What the interpreter does by itself is left out, since it is no work of SQLAlchemy's and
differs between builds of one version: modules that a worker holds which does nothing, the import system's
own functions, and this house.

Two figures that might be expected are not here. Allocated blocks (`sys.getallocatedblocks`) differ by a
thousandth from run to run, unless the system's address space layout is not randomized: they depend on
where objects happen to be. Instructions counted by valgrind's callgrind differ as much, and cost fifty times
the time: minutes a release, for less than the calls say.
"""

import json
import sys
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness import strategies
from harness.counts.figures import Counted
from harness.lifecycles import profile as profiles
from harness.lifecycles.checks import start_method_used
from harness.postgres import locate, relay
from harness.postgres.relay import Relay, WireEvent
from harness.postgres.server import Server
from harness.processes.child import run_program
from harness.processes.errors import ChecksFailed, NotApplicable
from harness.system.errors import PoolstartError

FIXED = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
"""What the counted processes find in their environment."""

SIDE_BY_SIDE = 2

DEADLINE = 60.0
"""Seconds a worker has: counting calls makes it slower."""

LIVES = BARE, PLAIN, CALLS = ("bare", "plain", "calls")
"""A worker that does nothing, one that is looked at, and one whose calls are counted."""

APPLICATION = "poolstart-exact"

PHASES = ("start", "first_query", "second_query")
"""Imports until the worker's first line; from there to its first row; from there to its second."""

PACKAGES = ("sqlalchemy", "psycopg2", "stdlib", "other")

NOT_COUNTED = ("harness", "_sysconfigdata_", "encodings.")
"""How the modules' names begin that are the house's own, or depend on how an interpreter was built: a debug
build looks up codecs that another one has at hand."""

IMPORT_SYSTEM = (
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "_frozen_importlib",
    "_frozen_importlib_external",
    "zipimport",
)
"""Finding a module takes as many calls as there are places to look in."""


def package_of(module: str) -> str:
    """Which of `PACKAGES` a module belongs to."""
    top = module.partition(".")[0]
    if top in ("sqlalchemy", "psycopg2"):
        return top
    return "stdlib" if top in sys.stdlib_module_names else "other"


@dataclass(frozen=True)
class Counts:
    """One strategy with one release."""

    strategy: str
    release: str
    python: str
    c_extensions: bool
    statements: dict[str, list[str]]
    """The texts by phase."""
    round_trips: dict[str, int]
    """By phase."""
    code: dict[str, int]
    """Bytes of code objects by module."""
    calls: dict[str, dict[str, int]]
    """By phase and function (`module:qualified name`)."""
    collections: dict[str, list[int]]
    """By phase and generation."""

    @property
    def figures(self) -> dict[str, int]:
        """Every figure by its name."""
        found = {
            "modules": len(self.code),
            "code_bytes": sum(self.code.values()),
        }
        for phase in PHASES[1:]:
            found[f"statements_{phase}"] = len(self.statements[phase])
            found[f"round_trips_{phase}"] = self.round_trips[phase]
            found[f"calls_{phase}"] = sum(self.calls[phase].values())
        for phase in PHASES:
            for generation, number in enumerate(self.collections[phase]):
                found[f"collections_{phase}_{generation}"] = number
        return found


@dataclass(frozen=True)
class Observed:
    """What is known of some lives of one strategy."""

    parent: dict[str, Any]
    """What the parent said of itself."""
    lives: dict[str, dict[str, Any]]
    """What each told, by name."""
    passed: dict[str, list[WireEvent]]
    """What passed between the plain worker and the server, by phase."""

    @property
    def seconds(self) -> dict[str, float]:
        """How long the plain worker's phases took: no figure, but what a distance can be checked by."""
        moments = [moment for moment, _ in self.lives[PLAIN]["seen"]]
        return {
            phase: (last - first) * 1e-9
            for phase, (first, last) in zip(PHASES[1:], pairwise(moments), strict=True)
        }


def observe(
    strategy: str,
    server: Server,
    *,
    release: str,
    python: str | Path = sys.executable,
    lives: Sequence[str] = LIVES,
    distance: float = 0.0,
) -> Observed:
    """Let some workers of one parent live, one after another, over a `distance` in seconds there and back.

    Raises `NotApplicable`, or `Rejected` with the reason.
    """
    entry = strategies.get(strategy)
    if reason := entry.not_applicable(release):
        raise NotApplicable(reason)
    if server.transport == "tls":
        raise NotApplicable("what is said over TLS cannot be counted on the way")
    mark = uuid.uuid4().hex
    what = f"counting {strategy}"
    with Relay(server, distance) as wire:
        order = {
            "strategy": strategy,
            "url": wire.sqlalchemy_url(APPLICATION),
            "mark": mark,
            "deadline": DEADLINE,
        }
        parent, *told = run_program(
            what,
            "harness.counts.inside.program",
            [json.dumps(order), *lives],
            DEADLINE * (1 + len(lives)),
            python=python,
            variables=FIXED,
        )
        if parent["sqlalchemy"] != release:
            raise ChecksFailed(f"{what}: {python} imports SQLAlchemy {parent['sqlalchemy']}, not {release}")
        by_name = dict(zip(lives, told, strict=True))
        for name, life in by_name.items():
            if wrong := findings(entry, name, mark, parent["pid"], life):
                raise ChecksFailed(f"{what}: the life {name!r} does not count: {wrong}")
        moments = [moment for moment, _ in by_name[PLAIN]["seen"]]
        passed = dict(zip(PHASES[1:], (wire.between(*pair) for pair in pairwise(moments)), strict=True))
    return Observed(parent, by_name, passed)


def count(strategy: str, server: Server, *, release: str, python: str | Path = sys.executable) -> Counts:
    """Count one strategy. Raises `NotApplicable`, or `Rejected` with the reason."""
    return counts(strategy, observe(strategy, server, release=release, python=python))


def counts(strategy: str, seen: Observed) -> Counts:
    """What `LIVES` say."""
    plain, counted = seen.lives[PLAIN], seen.lives[CALLS]
    begun = plain["inherited"] if plain["mark"] else plain["begun"]
    return Counts(
        strategy=strategy,
        release=seen.parent["sqlalchemy"],
        python=seen.parent["python"].split()[0],
        c_extensions=seen.parent["c_extensions"],
        statements={phase: texts(events) for phase, events in seen.passed.items()},
        round_trips={phase: round_trips(events) for phase, events in seen.passed.items()},
        code=code(seen, NOT_COUNTED),
        calls=dict(zip(PHASES[1:], map(functions, counted["calls"]), strict=True)),
        collections=by_phase([begun, *(collected for _, collected in plain["seen"])]),
    )


def code(seen: Observed, left_out: tuple[str, ...]) -> dict[str, int]:
    """Bytes of code objects by module: of those that a worker which does nothing does not hold.

    `left_out` are beginnings of names.
    """
    bare = set(seen.lives[BARE]["modules"])
    return {
        module: size
        for module, size in seen.lives[PLAIN]["code"].items()
        if module not in bare and not module.startswith(left_out)
    }


def by_phase(collected: Sequence[Sequence[int]]) -> dict[str, list[int]]:
    """Collections by phase and generation, of the counts at the phases' ends."""
    return {
        phase: [now - before for before, now in zip(*pair, strict=True)]
        for phase, pair in zip(PHASES, pairwise(collected), strict=True)
    }


def findings(entry: strategies.Strategy, name: str, mark: str, parent: int, life: dict[str, Any]) -> str:
    """What is wrong with a life; empty when it counts."""
    if life["outcome"] != "done" or life["exitcode"] != 0:
        return f"the worker {life['outcome']}, exit status {life.get('exitcode')}"
    if name == BARE:
        return ""
    used = start_method_used(has_parents_memory=life["mark"] == mark, is_parents_child=life["ppid"] == parent)
    if used != entry.start_method:
        return f"the worker was started by {used}"
    if [token for token, _ in life["rows"]] != [name, name]:
        return "the worker returned other rows than its own"
    return ""


def texts(events: Sequence[WireEvent]) -> list[str]:
    return [event.text for event in events if event.kind == relay.STATEMENT]


def round_trips(events: Sequence[WireEvent]) -> int:
    return sum(event.kind in (relay.CONNECT, relay.TURN) for event in events)


def functions(calls: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """Calls by function, without the import system's and the house's own."""
    found: Counter[str] = Counter()
    for module, name, number in calls:
        if module not in IMPORT_SYSTEM and not module.startswith(NOT_COUNTED):
            found[f"{module}:{name}"] += number
    return dict(found)


def count_all(
    names: Iterable[str], server: Server, *, release: str, python: str | Path = sys.executable
) -> dict[str, Counts | PoolstartError | NotApplicable]:
    """Count some strategies side by side; what could not be counted is there as its reason."""

    def one(name: str) -> Counts | PoolstartError | NotApplicable:
        try:
            return count(name, server, release=release, python=python)
        except (PoolstartError, NotApplicable) as reason:
            return reason

    names = list(names)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(names, pool.map(one, names), strict=True))


def of_this_run() -> Counted:
    """The counts of the asv run that this process belongs to.

    What could not be counted is told on standard error, a line for each reason.
    """
    with locate.server() as server:
        found = count_all(profiles.current().strategies, server, release=metadata.version("sqlalchemy"))
    counted = Counted(
        figures={name: one.figures for name, one in found.items() if isinstance(one, Counts)},
        rejected={name: str(one) for name, one in found.items() if isinstance(one, PoolstartError)},
        not_applicable={name: str(one) for name, one in found.items() if isinstance(one, NotApplicable)},
    )
    for reason in counted.rejected.values():
        print(f"poolstart: {reason}", file=sys.stderr)
    for reason in dict.fromkeys(counted.not_applicable.values()):
        print(f"poolstart: n/a: {reason}", file=sys.stderr)
    return counted
