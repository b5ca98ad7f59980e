"""Measures `multiprocessing.Pool(initializer=...)`: until its workers have rows, and their memory."""

import dataclasses
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy

from harness import strategies
from harness.hazards.expected import Setting
from harness.lifecycles.cell import NotApplicable, Rejected
from harness.postgres.server import Server
from harness.system import files
from harness.system.environment import environment
from harness.system.structure import structure
from harness.system.supervision import Custody

WORKERS = (2, 8)
"""The sizes of pools."""

PARENTS = 3
POOLS = 4
"""Pools of each parent, one after another."""

DEADLINE = 30.0
"""Seconds each next worker of a pool has to get its row."""

SETTLE_DEADLINE = 5.0
"""Seconds the sessions of a parent and its workers have to go after they went."""


@dataclass(frozen=True)
class Measured:
    """One strategy and one size: a figure for each pool, and the unique memory of each worker."""

    strategy: str
    workers: int
    first: tuple[float, ...] = ()
    """`Pool()` called -> the first worker has its row, in seconds."""
    last: tuple[float, ...] = ()
    """`Pool()` called -> the last worker has its row."""
    blocked: tuple[float, ...] = ()
    """`Pool()` called -> returned."""
    uss: tuple[int, ...] = ()
    """Unique memory in bytes of every worker of every pool, read while all wait for their first task."""
    reason: str = ""
    """Why there are no figures."""


@dataclass(frozen=True)
class Behaviour:
    """What pools of one start method do that no figure tells."""

    start_method: str
    raising: dict[str, Any]
    """An initializer that raises (`harness.pools.inside.parent.raising`)."""
    replacing: dict[str, Any]
    """`maxtasksperchild=1` (`harness.pools.inside.parent.replacing`)."""


@dataclass(frozen=True)
class Table:
    """Everything that was measured of pools at once."""

    setting: Setting
    parents: int
    pools: int
    cells: tuple[Measured, ...]
    behaviours: tuple[Behaviour, ...]

    def cell(self, strategy: str, workers: int) -> Measured | None:
        for cell in self.cells:
            if (cell.strategy, cell.workers) == (strategy, workers):
                return cell
        return None


def measure_all(
    server: Server,
    parents: int = PARENTS,
    pools: int = POOLS,
    seen: Callable[[str], None] = lambda what: None,
) -> Table:
    """Every strategy of the catalogue in every size; parents of all cells take turns."""
    parts: dict[tuple[str, int], list[Measured]] = {}
    for _ in range(parents):
        for name in strategies.IDS:
            for workers in WORKERS:
                seen(f"{name}, {workers} workers")
                try:
                    part = measure(name, workers, server, pools)
                except NotApplicable as reason:
                    part = Measured(name, workers, reason=str(reason))
                parts.setdefault((name, workers), []).append(part)
    methods = dict.fromkeys(strategy.start_method for strategy in strategies.CATALOGUE)
    return Table(
        Setting.here(server),
        parents,
        pools,
        tuple(map(together, parts.values())),
        tuple(behaviour(method) for method in methods),
    )


def together(parts: list[Measured]) -> Measured:
    """The figures of several parents as one."""
    first, *others = parts
    for other in others:
        first = dataclasses.replace(
            first,
            **{
                name: getattr(first, name) + getattr(other, name)
                for name in ("first", "last", "blocked", "uss")
            },
        )
    return first


def measure(strategy: str, workers: int, server: Server, pools: int = POOLS) -> Measured:
    """One parent, which makes `pools` pools. Raises `NotApplicable`, or `Rejected` if one does not count."""
    entry = strategies.get(strategy)
    reason = entry.not_applicable(sqlalchemy.__version__)
    if not reason and entry.shares_connection:
        reason = f"{strategy}: workers that talk over one connection at once get each other's rows"
    if reason:
        raise NotApplicable(reason)
    what = f"Pool({workers}), {strategy}"
    mark, name = uuid.uuid4().hex, f"poolstart-{uuid.uuid4().hex[:12]}"
    order = {
        "do": "measure",
        "strategy": strategy,
        "url": server.sqlalchemy_url(name),
        "workers": workers,
        "mark": mark,
        "deadline": DEADLINE,
    }
    tokens = [uuid.uuid4().hex for _ in range(pools)]
    parent, *seen = run(what, [json.dumps(order), *tokens], DEADLINE * (1 + pools))
    for token, one in zip(tokens, seen, strict=True):
        wrong = findings(entry, workers, token, mark, parent["pid"], one)
        if wrong:
            raise Rejected(f"{what}: the measurement does not count: {'; '.join(wrong)}")
    left = sessions(server, name)
    if left:
        raise Rejected(f"{what}: {left} sessions are left after all has ended")

    def seconds(one: dict[str, Any], moment: int) -> float:
        return float(moment - one["called"]) * 1e-9

    rows = [sorted(worker["first_row"] for worker in one["workers"]) for one in seen]
    return Measured(
        strategy,
        workers,
        first=tuple(seconds(one, moments[0]) for one, moments in zip(seen, rows, strict=True)),
        last=tuple(seconds(one, moments[-1]) for one, moments in zip(seen, rows, strict=True)),
        blocked=tuple(seconds(one, one["returned"]) for one in seen),
        uss=tuple(worker["uss"] for one in seen for worker in one["workers"]),
    )


def findings(
    strategy: strategies.Strategy,
    workers: int,
    token: str,
    mark: str,
    parent: int,
    seen: dict[str, Any],
) -> list[str]:
    """What is wrong with a pool; empty when it counts."""
    if seen["outcome"] != "done":
        return [f"{len(seen['workers'])} of {workers} workers had their row in time"]
    found = []
    made = seen["workers"]
    if len({worker["pid"] for worker in made}) != workers or len(made) != workers:
        found.append(f"the initializer ran {len(made)} times for {workers} workers")
    for worker in made:
        forked, child = worker["mark"] == mark, worker["ppid"] == parent
        used = {(True, True): "fork", (False, True): "spawn", (False, False): "forkserver"}.get(
            (forked, child)
        )
        if used != strategy.start_method:
            found.append(f"a worker was started by {used}")
        if worker["row"][0] != token:
            found.append("a worker returned another one's row")
        if not seen["called"] < worker["started"] < worker["first_row"]:
            found.append("the clock ran backwards")
    backends = {worker["row"][1] for worker in made}
    # NullPool closes a connection after its use, and the server may give its number to the next one.
    if strategy.pooled and (len(backends) != workers or seen["backend_before"] in backends):
        found.append("workers shared a session")
    if strategy.keeps_parent_connection and seen["row_after"] != [token, seen["backend_before"]]:
        found.append("the parent's connection does not answer as before")
    if any(code != 0 for code in seen["exitcodes"]) or len(seen["exitcodes"]) != workers:
        found.append(f"workers ended with {seen['exitcodes']}")
    return list(dict.fromkeys(found))


def behaviour(start_method: str) -> Behaviour:
    """What such a pool does with an initializer that raises, and with `maxtasksperchild=1`."""
    order = {"do": "behave", "start_method": start_method, "deadline": DEADLINE}
    (seen,) = run(f"Pool(2), {start_method}", [json.dumps(order)], 4 * DEADLINE)
    return Behaviour(start_method, **seen)


def run(
    what: str,
    lines: list[str],
    deadline: float,
    *,
    program: str = "harness.pools.inside.program",
    python: str | Path = sys.executable,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Run a parent program on its orders, and return its reports. Raises `Rejected`.

    `variables` are added to its environment.
    """
    with Custody() as custody:
        scratch = custody.directory()
        orders, reports, errors = (scratch / name for name in ("orders", "reports", "errors"))
        orders.write_text("\n".join(lines) + "\n")
        # Files, not pipes: a hung worker keeps its copy of a pipe open, and the reader would wait with it.
        with orders.open("rb") as given, reports.open("wb") as out, errors.open("wb") as err:
            process = custody.start(
                [python, "-m", program],
                stdin=given,
                stdout=out,
                stderr=err,
                env={**environment(), "TMPDIR": str(scratch), **variables},
                cwd="/",
            )
        try:
            process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise Rejected(f"{what}: the parent hung: it was not done after {deadline:g} s") from None
        finally:
            custody.stop(process)
        if process.returncode != 0:
            said = errors.read_text(errors="replace").strip().splitlines() or ["nothing"]
            raise Rejected(f"{what}: the parent failed: {said[-1]}")
        return [json.loads(line) for line in reports.read_text().splitlines()]


def sessions(server: Server, name: str) -> int:
    """How many sessions of an application are left, once they have had their time to go."""
    until = time.monotonic() + SETTLE_DEADLINE
    connection = server.connect()
    try:
        while True:
            with connection.cursor() as cursor:
                cursor.execute("select count(*) from pg_stat_activity where application_name = %s", (name,))
                ((count,),) = cursor.fetchall()
            if count == 0 or time.monotonic() > until:
                return int(count)
            time.sleep(0.01)
    finally:
        connection.close()


def stored(directory: Path, strategy: str, workers: int) -> Measured:
    """The figures of one asv run, kept as files in `directory`: the first to ask for them measures them."""
    path = directory / f"{strategy}.{workers}.pool.json"
    if path.exists():
        return structure(Measured, json.loads(path.read_text()))
    from harness.postgres import locate

    with locate.server() as server:
        try:
            parts = [measure(strategy, workers, server) for _ in range(PARENTS)]
        except NotApplicable as reason:
            parts = [Measured(strategy, workers, reason=str(reason))]
    files.write(path, json.dumps(dataclasses.asdict(together(parts))))
    return together(parts)
