"""Measures fleets: workers started together, until all have a row, and the memory of the whole tree."""

import json
import resource
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from itertools import product
from types import MappingProxyType
from typing import Any, cast

from harness import strategies
from harness.counts.count import count
from harness.drivers import MEASURED, Driver
from harness.fleets.checks import Fleet, FleetLine, FleetOrder, FleetParentReport, FleetReport, findings
from harness.fleets.figures import PHASES, PROCESS, FleetFigures, FleetsTable
from harness.lifecycles.profile import no_room
from harness.postgres import sessions
from harness.postgres.server import Server
from harness.processes import proc
from harness.processes.child import run_program
from harness.processes.errors import ChecksFailed, NotApplicable
from harness.records.provenance import Provenance, installed
from harness.records.rows import combine
from harness.records.session import Parts
from harness.system import memory
from harness.system.errors import PoolstartError
from harness.system.memory import MIB
from harness.system.structure import structure

PROGRAM = "harness.fleets.inside.program"

SIZES = (1, 2, 4, 8, 16, 32, 64)
"""Workers that are started together."""


def sizes(largest: int | None = None) -> Sequence[int]:
    """The same up to a largest fleet, which is among them."""
    return SIZES if largest is None else (*(each for each in SIZES if each < largest), largest)


DATAFRAMES = (0, 512)
"""MiB of the parent's DataFrame."""

PARENTS = 3
"""Parents of each cell, of one fleet each."""

DEADLINE = 120.0
"""Seconds without a message of any worker."""

MEMORY_FACTOR = 2.5
"""Free memory that a parent needs, as a multiple of its data: these, and what making them takes."""

DESCRIPTORS = 7
"""Of a parent for each worker: both ends of its pipe, that by which multiprocessing sees its end, and four of
the queues of Celery's pool."""

WORKER_MIB = 110
"""Free memory that a worker may need: a booted one that has imported pandas through the parent's module."""

STRATEGIES = tuple(entry.id for entry in strategies.CATALOGUE if not entry.shares_connection)
"""The default strategies whose workers can use the database at the same time."""

CELERY = "celery"

WITH_CELERY = f"`uv run --with celery poolstart record fleets --only {CELERY}` has it"

STARTED: Mapping[str, Sequence[str]] = {
    "pool": ("fork_dispose", "forkserver_preload"),
    "executor": ("fork_dispose", "forkserver_preload"),
    CELERY: ("fork_dispose",),
}
"""What else starts the workers of some strategies, without a DataFrame."""


def measure_all(
    server: Server,
    *,
    names: Sequence[str] = STRATEGIES,
    sizes: Sequence[int] = SIZES,
    dataframes: Sequence[int] = DATAFRAMES,
    starters: Mapping[str, Sequence[str]] = STARTED,
    parents: int = PARENTS,
    parts: Parts | None = None,
    progress: Callable[[str], None] = lambda step: None,
    command: str = "",
) -> FleetsTable:
    """Measure fleets of every size, less what is among `parts`; the cells take turns.

    `names` are the strategies of plain processes, `starters` those of what else starts workers. Raises
    `PoolstartError` if Celery is needed and not installed, or a fleet cannot fit into memory or into the
    server's connections, before any is started; `Rejected` if one hangs or does not pass its checks.
    """
    parts = parts or Parts()
    if CELERY in starters and not installed(CELERY):
        raise PoolstartError("Celery is not installed", WITH_CELERY)
    require_room(server, max(sizes), max(dataframes))
    cells = [(name, mib, workers, PROCESS) for mib, workers, name in product(dataframes, sizes, names)]
    cells += [
        (name, 0, workers, starter)
        for starter, started in starters.items()
        for workers, name in product(sizes, started)
    ]
    for parent, cell in product(range(parents), cells):
        if (part := key(parent, *cell)) not in parts.parts:
            name, mib, workers, starter = cell
            frame = f"{mib} MiB" if mib else "no DataFrame"
            by = "" if starter == PROCESS else f", {starter}"
            progress(f"parent {parent + 1} of {parents}, {name}{by}, {workers} workers, {frame}")
            parts.add(part, asdict(measure(name, workers, mib, server, starter)))
    provenance = Provenance.here(server.identity, command)
    if CELERY in starters:
        with_celery = f"{provenance.frames}, celery {installed(CELERY)}".removeprefix(", ")
        provenance = replace(provenance, frames=with_celery)
    for name in names:
        if (part := f"round trips {name}") not in parts.parts:
            progress(f"round trips, {name}")
            counted = count(name, server, release=provenance.release)
            parts.add(part, counted.figures["round_trips_first_query"])
    return FleetsTable(
        provenance,
        tuple(
            combine([structure(FleetFigures, parts.parts[key(parent, *cell)]) for parent in range(parents)])
            for cell in cells
        ),
        {name: parts.parts[f"round trips {name}"] for name in names},
    )


def key(parent: int, name: str, mib: int, workers: int, starter: str) -> str:
    """The key of a measured fleet among the parts."""
    return f"{parent} {name} {mib} {workers}{'' if starter == PROCESS else f' {starter}'}"


def require_room(server: Server, workers: int, dataframe_mib: int) -> None:
    """Raises `PoolstartError` if a fleet needs more than the machine or the server has."""
    if reason := no_room(dataframe_mib):
        raise PoolstartError(f"the DataFrame does not fit: {reason}", "free memory")
    # Forked workers that read the DataFrame copy the pages of its texts, a fifth of it.
    needed = workers * (WORKER_MIB + dataframe_mib / 5) + MEMORY_FACTOR * dataframe_mib
    if needed * MIB > memory.available():
        raise PoolstartError(
            f"{workers} workers may need {needed / 1024:.1f} GiB, and"
            f" {memory.available() / MIB / 1024:.1f} GiB are free",
            "measure smaller fleets, with --workers",
        )
    free = sessions.free(server)
    if workers + 1 > free:
        raise PoolstartError(
            f"{workers} workers and their parent need {workers + 1} connections, and the server has {free}",
            "raise its max_connections, or measure smaller fleets, with --workers",
        )
    for which, needed, what, option in (
        (resource.RLIMIT_NOFILE, DESCRIPTORS * (workers + 16), "file descriptors", "n"),
        (resource.RLIMIT_NPROC, workers + 16, "processes of this user", "u"),
    ):
        limit, _ = resource.getrlimit(which)
        if needed > limit != resource.RLIM_INFINITY:
            raise PoolstartError(
                f"the parent of {workers} workers needs {needed} {what}, and may have {limit}",
                f"raise the limit with `ulimit -{option}`, or measure smaller fleets, with --workers",
            )


def run(
    strategy: str,
    server: Server,
    *,
    workers: Sequence[int] = (1,),
    data: str = "",
    mib: int = 0,
    steps: Sequence[Any] = (),
    write: bool = False,
    options: Mapping[str, Any] = MappingProxyType({}),
    variables: Mapping[str, str] = MappingProxyType({}),
    driver: Driver = MEASURED,
    starter: str = PROCESS,
    postmaster: int = 0,
    deadline: float = DEADLINE,
) -> tuple[FleetParentReport, list[FleetReport]]:
    """Start one parent, and fleets of so many `workers` one after another.

    Returns its reports, which have passed the checks. With `write` the parent writes to its data before the
    first fleet, and while the last one runs. `options` are those of `create_engine`, `variables` those of the
    environment, `starter` starts the workers, and `postmaster` is the pid of the server whose processor time
    is measured. Raises `NotApplicable` for a strategy whose workers share a connection or `starter` does not
    start, and `Rejected` if a fleet hangs, fails, or does not pass its checks.
    """
    entry = strategies.get(strategy)
    if entry.shares_connection:
        raise NotApplicable(
            f"{strategy}: workers that use one connection at the same time get each other's rows"
        )
    if starter == CELERY and not entry.inherits:
        raise NotApplicable(f"{strategy}: Celery's pool forks its workers")
    title = f"{max(workers)} workers, {strategy}"
    mark = uuid.uuid4().hex
    application_name = f"poolstart-{uuid.uuid4().hex[:12]}"
    order: FleetOrder = {
        "strategy": strategy,
        "starter": starter,
        "driver": driver.name,
        "postmaster": postmaster,
        "url": server.sqlalchemy_url(application_name, driver),
        "options": dict(options),
        "data": data,
        "mib": mib,
        "write": write,
        "mark": mark,
        "deadline": deadline,
    }
    lines: list[FleetLine] = [
        {"token": uuid.uuid4().hex, "workers": number, "steps": list(steps)} for number in workers
    ]
    if write:
        lines[-1]["steps"].append("write")
    parent, *rest = run_program(
        title, PROGRAM, list(map(json.dumps, [order, *lines])), 4 * deadline, variables=variables
    )
    reports = cast("list[FleetReport]", rest)
    for line, report in zip(lines, reports, strict=True):
        fleet = Fleet(entry, line["workers"], line["token"], mark, bool(server.pooler))
        if wrong := list(findings(fleet, report)):
            raise ChecksFailed(f"{title}: the measurement does not count: {'; '.join(wrong)}")
    # A pooler keeps its sessions.
    if not server.pooler and (left := sessions.remaining(server, application_name)):
        raise ChecksFailed(f"{title}: {left} sessions are left after all processes have ended")
    return cast(FleetParentReport, parent), reports


def main_process(server: Server) -> int:
    """The pid of the server's main process; 0 if it is on another machine."""
    if server.pooler:
        return 0
    with closing(server.connect()) as connection:
        backend = proc.stat(connection.info.backend_pid)
    return backend.ppid if backend and backend.name == "postgres" else 0


def measure(
    strategy: str, workers: int, dataframe_mib: int, server: Server, starter: str = PROCESS
) -> FleetFigures:
    """Start one parent and one fleet. Raises as `run` does."""
    _, (report,) = run(
        strategy,
        server,
        workers=(workers,),
        data="dataframe" if dataframe_mib else "",
        mib=dataframe_mib,
        steps=("collect", "read") if dataframe_mib else ("collect",),
        starter=starter,
        postmaster=main_process(server),
    )
    moments = [worker["first_row"] for worker in report["workers"]]

    def seconds(moment: int) -> tuple[float]:
        return ((moment - report["called"]) * 1e-9,)

    phases = [phase for phase in PHASES if phase in report["memory"]]
    return FleetFigures(
        strategy,
        dataframe_mib,
        workers,
        first=seconds(min(moments)),
        last=seconds(max(moments)),
        blocked=seconds(report["returned"]),
        cpu=(report["cpu"],),
        pss={phase: (report["memory"][phase]["pss"],) for phase in phases},
        page_tables={phase: (report["memory"][phase]["page_tables"],) for phase in phases},
        server_cpu=(report["server_cpu"],) if "server_cpu" in report else (),
        starter=starter,
    )
