"""Hooks for what multiprocessing hands to workers: a transaction, arguments, signals, random numbers."""

from __future__ import annotations

import os
import sys
from _thread import get_ident

import poolstart_frames as frames
import poolstart_watch as watch
from poolstart_frames import place
from poolstart_hooks import before, safely, when_imported
from poolstart_watch import State, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEEP, MANY = 4, 200
"""How deep, and how many values, arguments are searched for what does not pickle."""

CHECKINS = 5
"""After how many uses of a connection in a process generators are examined."""


class Copies:
    """Random generators of the program's modules."""

    seen = 0
    """How many modules there were when they were searched."""
    found: dict[str, Any] = {}  # noqa: RUF012
    """By name."""
    states: dict[str, tuple[int, int]] = {}  # noqa: RUF012
    """At the latest fork, in parent and worker: a hash of the numbers to come, and how many were drawn."""
    checkins = 0


def install() -> None:
    when_imported("multiprocessing.process", processes)
    when_imported("multiprocessing.reduction", pickling)
    when_imported("multiprocessing.popen_fork", signalling)
    when_imported("signal", handling)
    State.before.append(remember)


def processes(module: Any) -> None:
    """Report workers that are started by a thread that has a connection in a transaction."""
    before(module.BaseProcess, "start", starting)


def starting(worker: Any) -> None:
    if State.json is None:
        return
    # If no hook has noticed a thread, it is not known which one has checked a connection out.
    noted = State.threaded or len(sys._current_frames()) == 1
    busy = [
        connection
        for connection in watch.connections()
        # The transaction of another thread ends by itself.
        if connection["transaction"] and connection.get("thread", 0) in (0, noted and get_ident())
    ]
    if busy:
        report("started", place=place(), opened=busy[0]["opened"])


def pickling(module: Any) -> None:
    """Report arguments of SQLAlchemy's that a worker cannot be handed."""
    pickler = module.ForkingPickler
    original = pickler.dump

    def dump(self: Any, value: Any) -> Any:
        try:
            return original(self, value)
        except Exception:
            safely(refused)(value)
            raise

    pickler.dump = dump


def refused(value: Any) -> None:
    name = handed(value)
    if name:
        report("refused", what=name, place=place())


def handed(value: Any) -> str:
    """The name of a type of SQLAlchemy's, of a value that is among arguments; empty if there is none."""
    waiting, count = [(value, 0)], 0
    while waiting and count < MANY:
        each, depth = waiting.pop(0)
        count += 1
        kind = each if isinstance(each, type) else type(each)
        for base in kind.__mro__:
            if base.__module__.startswith("sqlalchemy.") and base.__name__ != "URL":
                return str(base.__name__)
        if depth == DEEP or isinstance(each, type):
            continue
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, (tuple, list)) else ()
        fields = getattr(each, "__dict__", None)
        waiting += [(part, depth + 1) for part in (*inner, *(dict(fields).values() if fields else ()))]
    return ""


def handling(module: Any) -> None:
    """Report forked workers that set a signal's handler themselves."""
    before(module, "signal", handles)


def handles(number: Any, *_: Any, **__: Any) -> None:
    if State.forked:
        report("handles", signal=int(number), place=str(int(number)))


def signalling(module: Any) -> None:
    """Report signals that are sent to workers which catch them."""
    before(module.Popen, "_send_signal", sending)


def sending(worker: Any, number: int) -> None:
    if State.json is None or worker.returncode is not None or not catches(worker.pid, number):
        return
    events = sys.modules.get("asyncio.events")
    loop = events._get_running_loop() if events else None
    heard = number in (getattr(loop, "_signal_handlers", None) or ())
    report("signal", worker=worker.pid, signal=number, heard=heard, place=place())


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal."""
    file = os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = os.read(file, 1 << 14).decode()
    finally:
        os.close(file)
    mask = int(text.partition("SigCgt:")[2].split(None, 1)[0], 16)
    return bool(mask >> (number - 1) & 1)


def remember() -> None:
    """In the parent, before a fork: the states of its random generators."""
    if "random" not in sys.modules:
        return
    if Copies.seen != len(sys.modules):
        Copies.seen = len(sys.modules)
        Copies.found = generators()
    Copies.states = {name: state(each) for name, each in Copies.found.items()}
    Copies.checkins = 0
    if Copies.states:
        watch.examine(0)


def generators() -> dict[str, Any]:
    """The instances of `random.Random` in the program's modules, by module and name."""
    kind = sys.modules["random"].Random
    return {f"{module}:{name}": value for module, name, value in frames.variables() if type(value) is kind}


def state(generator: Any) -> tuple[int, int]:
    numbers = generator.getstate()[1]
    return hash(numbers[:-1]), numbers[-1]


def drawn() -> bool:
    """After a connection was used: report generators from which numbers were drawn since the fork.

    Returns whether they will be examined again.
    """
    if not Copies.states or Copies.checkins >= CHECKINS:
        return False
    Copies.checkins += 1
    for name, (numbers, count) in list(Copies.states.items()):
        now, more = state(Copies.found[name])
        if now == numbers and more > count:
            del Copies.states[name]
            report("drawn", generator=name, state=f"{numbers} {count}", place=name)
    return True
