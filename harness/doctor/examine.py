"""Collects the evidence about a running process."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace

from harness.doctor.evidence import movements, pages, server, sockets, stacks, tree, waits
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.evidence.inside import Reported
from harness.doctor.evidence.netlink import Counters, Diag
from harness.doctor.evidence.runs import Runs
from harness.doctor.evidence.sockets import Connection
from harness.processes import proc
from harness.system.errors import PoolstartError

LARGE = 64
"""Processes whose memory is read; more would take longer than the watch."""


def examine(
    pid: int,
    seconds: float = 5.0,
    *,
    url: str = "",
    ports: Iterable[int] = (),
    with_stacks: bool = False,
    besides: Iterable[int] = (),
    reports: Callable[[], Sequence[Reported]] = tuple,
    over: Callable[[], bool] = lambda: False,
) -> TreeEvidence:
    """Watch a process and its descendants for some seconds. Only `with_stacks` stops them, for milliseconds.

    `besides` are further processes to watch, and `reports` is called at the end for what they have reported.
    It takes longer while it is in doubt who uses a connection, unless it is `over` (`movements.Watch`).

    Raises `PoolstartError` if there is no such process, none of its descriptors can be read, or the server
    at `url` cannot be asked.
    """
    processes = tree.tree(pid, besides)
    if problem := tree.problem(pid) or ("" if processes else f"process {pid} has ended"):
        raise PoolstartError(problem, "name a running one: see `ps -ef --forest`")
    if not processes[pid].readable and not any(process.readable for process in processes.values()):
        raise PoolstartError(
            f"the descriptors of process {pid} cannot be read", "run poolstart doctor as its user, or as root"
        )
    if with_stacks and not stacks.command():
        raise PoolstartError("--stacks needs py-spy", "pip install py-spy")
    view = server.view(url) if url else None
    copies = tree.parents(processes.values())
    hidden = tuple(tree.hidden(pid, processes))
    connections = sockets.connections(processes, ports)
    shared = [each for each in connections if len(each.holders) > 1 and not each.ended]
    first = {copy: pages.read(copy) for copy in list(copies)[:LARGE]}
    still = _still(processes)
    suspects = {each.inode: _suspects(each, copies) for each in shared}
    with closing(movements.Watch(shared, suspects)) as watching:
        uses, watched = watching.uses, watching.run(seconds, over)
    connections = [_now_held(each, uses) for each in connections]
    again = _still(processes)
    locked = tuple(pid for pid in still if again.get(pid) == still[pid])
    # When the process that it is a copy of has ended, shared memory has become the copy's own uncopied.
    last = {copy: pages.read(copy) for copy in first if tree.read(copies[copy])}
    titles = {c.inode: proc.command_line(c.backend) for c in connections if c.backend}
    psycopg = frozenset(filter(tree.loads_psycopg, {pid for each in shared for pid in each.holders}))
    threaded = [each for each in psycopg if each in processes and processes[each].threads > 1]
    dumped, notes = _stacks([*locked, *_waiters(uses), *threaded]) if with_stacks else ({}, [])
    last_view = server.view(url) if view else None
    counters, boot = _counters(connections), time.clock_gettime(time.CLOCK_BOOTTIME)
    return TreeEvidence(
        root=pid,
        processes=processes,
        copies=copies,
        connections=tuple(connections),
        uses=uses,
        locked=locked,
        watched=round(watched, 1),
        pages={copy: (begin, end) for copy, end in last.items() if (begin := first[copy]) and end},
        server=last_view,
        titles=titles,
        began={each.inode: began for each in connections if (began := tree.started(each.backend))},
        counters=counters,
        psycopg=psycopg,
        hidden=hidden,
        stacks=dumped,
        reports=tuple(reports()),
        notes=(*_limits(processes, suspects, shared, uses, hidden), *notes),
        boot=boot,
    )


def _now_held(connection: Connection, uses: dict[int, movements.Use]) -> Connection:
    """The connection, less the holders that have closed it while it was watched."""
    left = uses[connection.inode].left if connection.inode in uses else set()
    return replace(
        connection, holders={pid: each for pid, each in connection.holders.items() if pid not in left}
    )


def _counters(connections: Iterable[Connection]) -> dict[int, Counters]:
    """The counters of each TCP connection now, by inode, as far as the kernel shows them."""
    diags: dict[int, Diag] = {}
    found = {}
    for each in connections:
        if each.network not in diags:
            diags[each.network] = Diag(each.network)
        if counters := diags[each.network].counters(each.request, each.inode):
            found[each.inode] = counters
    for diag in diags.values():
        diag.close()
    return found


def _suspects(connection: Connection, copies: dict[int, int]) -> list[int]:
    """The holders to find out about: those that inherited it, or all if its opener is not known."""
    inherited = [pid for pid in connection.holders if sockets.inherited(copies, connection, pid)]
    return inherited if len(inherited) == len(connection.holders) - 1 else list(connection.holders)


def _still(processes: Iterable[int]) -> dict[int, str]:
    """The processes that wait for locks of their own memory, with text that changes if they run."""
    found = {}
    for pid in processes:
        with closing(Runs(pid)) as runs:
            reading = runs.read()
            locks = [each for each in runs.waits() if waits.for_own_lock(pid, each)]
            if locks and len(locks) == len(runs):
                found[pid] = reading.runs
    return found


def _waiters(uses: dict[int, movements.Use]) -> list[int]:
    return [pid for use in uses.values() for pid in {*use.by, *use.waited}]


def _stacks(wanted: Iterable[int]) -> tuple[dict[int, tuple[stacks.Stack, ...]], list[str]]:
    found, notes = {}, []
    for pid in dict.fromkeys(wanted):
        dumped = stacks.dump(pid)
        if isinstance(dumped, str):
            notes.append(f"no stack of {pid}: {dumped}")
        else:
            found[pid] = dumped
    return found, notes


def _limits(
    processes: dict[int, tree.Process],
    suspects: dict[int, list[int]],
    shared: list[Connection],
    uses: dict[int, movements.Use],
    hidden: Iterable[int] = (),
) -> list[str]:
    """What could not be inspected, in sentences."""
    notes = []
    others = [*(pid for pid, process in processes.items() if not process.readable), *hidden]
    if others:
        pids = ", ".join(map(str, others))
        notes.append(f"descriptors of {pids}, which belong to another user: run as root")
    elif unread := [str(pid) for pid in processes if not waits.readable(pid) and proc.running(pid)]:
        notes.append(f"system calls of {', '.join(unread)}: run as their user, or as root")
    if not waits.supported():
        notes.append("system calls: their numbers on this kind of machine are not known")
    for connection in shared:
        if len(connection.holders.keys() - uses[connection.inode].left) < 2:
            continue
        if not uses[connection.inode].counted:
            where = connection.address or f"socket {connection.inode}"
            notes.append(f"what is sent over {where}: {_uncounted(connection)}")
        elif any(map(uses[connection.inode].doubt, suspects[connection.inode])):
            notes.append(
                f"who uses {connection.address}: too little was seen, or several of its holders ran each"
                " time; look again with a longer --watch, or when the machine is less busy"
            )
    return notes


def _uncounted(connection: Connection) -> str:
    """Why the counters of a connection could not be read."""
    if connection.address is None:
        return "Unix sockets have no counters"
    if connection.network:
        return "it is in another network namespace, run as root"
    return "the kernel does not show its counters"
