"""How much of the parent's DataFrame a forked worker copies by using it."""

import gc
import importlib.util
from typing import Any

from harness.hazards.hazard import Hazard, HazardFigure, Severity, where_workers_are_forked
from harness.hazards.inside.parent import Engine, Parent
from harness.hazards.inside.worker import Worker
from harness.system import memory

BYTES = 32 * 2**20
"""Approximate size of each column."""

BOUND = 0.25
"""Fraction of the column that reading or collecting may copy."""

FRAMES: dict[str, Any] = {}
"""The parent's frames, by the kind of their column."""

KINDS = ("int64", "text", "arrow", "lists")
ACCESSES = ("read", "collect", "write")


def texts() -> list[str]:
    return [f"row {number}" for number in range(BYTES // 64)]  # 8 bytes of pointer, 56 of text


def frame_with(kind: str) -> Any:
    """A frame with one column of this kind."""
    import numpy
    import pandas

    column: Any
    match kind:
        case "int64":
            column = numpy.arange(BYTES // 8, dtype="int64")
        case "text":
            column = pandas.Series(texts(), dtype=object)
        case "arrow":
            arrow: Any = importlib.import_module("pyarrow")
            column = pandas.Series(texts() * 4, dtype=pandas.ArrowDtype(arrow.string()))
        case _:
            column = pandas.Series([[number] for number in range(BYTES // 96)], dtype=object)
    return pandas.DataFrame({"value": column})


def read(kind: str, frame: Any) -> object:
    if kind == "int64":
        return frame["value"].sum()
    return sum(len(value) for value in frame["value"].array)


def write(kind: str, frame: Any) -> None:
    if kind == "lists":
        for value in frame["value"].array:
            value.append(0)
    else:
        frame.iloc[:, 0] = frame["value"].iloc[0]


def private_bytes() -> int:
    """Bytes of memory that this process shares with no other."""
    return memory.read()["uss"]


def collect(worker: Worker) -> int:
    """Collect garbage once; return the growth of the worker's private memory in bytes."""
    worker.engine()
    before = private_bytes()
    gc.collect()
    return private_bytes() - before


def use(worker: Worker, kind: str, access: str) -> int:
    """Read or write the inherited frame once; return the growth of the worker's private memory in bytes."""
    worker.engine()
    before = private_bytes()
    (read if access == "read" else write)(kind, FRAMES[kind])
    return private_bytes() - before


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    parent.warm(engine)
    importlib.import_module("pandas")  # in every worker, the collector traverses its objects
    base = parent.start(collect, engine=engine).answer()
    parent.measure("base_collect", base)
    parent.tell("worker", f"Inherits no frame yet; a run of its garbage collector copies {mebibytes(base)}.")
    copied = {
        kind
        for kind in KINDS
        if (kind != "arrow" or importlib.util.find_spec("pyarrow")) and copies(parent, engine, kind, base)
    }
    if "int64" in copied:
        raise RuntimeError("a column without objects was copied by reading it: something else copies here")
    affected = bool(copied)
    parent.tell("server", "Nothing: no query is sent meanwhile.")
    parent.tell("user", "Workers that grow while they only read." if affected else "Nothing unusual.")
    return affected


def copies(parent: Parent, engine: Engine, kind: str, base: int) -> bool:
    """Whether a worker copies a column of this kind without writing to it; measures how much."""
    frame = FRAMES[kind] = frame_with(kind)
    size = int(frame.memory_usage(deep=True).sum())
    parent.tell("parent", f"Has a frame with a column of {kind}, {mebibytes(size)}.")

    def growths(suffix: str) -> dict[str, int]:
        growth = {
            "read": parent.start(use, kind, "read", engine=engine).answer(),
            "collect": parent.start(collect, engine=engine).answer(),
            "write": parent.start(use, kind, "write", engine=engine).answer(),
        }
        for access, value in growth.items():
            parent.measure(f"{kind}_{access}{suffix}", value)
        return growth

    thawed = growths("")
    gc.freeze()
    frozen = growths("_frozen")
    gc.unfreeze()
    FRAMES.clear()
    for access in ACCESSES:
        parent.tell(
            "worker",
            f"Copies {mebibytes(thawed[access])} to {access};"
            f" after gc.freeze() in the parent, {mebibytes(frozen[access])}.",
        )
    return thawed["read"] > BOUND * size or thawed["collect"] - base > BOUND * size


def mebibytes(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


HAZARD = Hazard(
    id="copied_frame",
    title="A shared DataFrame that becomes private",
    description=(
        "fork shares the parent's memory until a process writes to it (copy-on-write). Reading a Python"
        " object writes its reference count, and a run of the garbage collector writes to every container. So"
        " a worker that only reads a column of strings or lists copies it, page by page; a column of int64 or"
        " of Arrow strings contains no Python objects and stays shared. gc.freeze() in the parent keeps the"
        " garbage collector away, but not the reference counts. A spawned worker inherits no frame: it has"
        " nothing to copy, and nothing to read."
    ),
    symptom=(
        "Memory grows with every worker and over time, although the data is only read, until the OOM killer"
        " ends a process."
    ),
    affected_when=(
        "Reading the column, or collecting garbage, makes the worker's private memory grow by more than a"
        " quarter of the column."
    ),
    avoidance="Share int64, float64 or Arrow columns, and call gc.freeze() before the fork.",
    severity=Severity.COST,
    messages=("Out of memory: Killed process",),
    links=(
        "https://docs.python.org/3/library/gc.html#gc.freeze",
        "https://github.com/pytorch/pytorch/issues/13246",
        "https://github.com/pytorch/pytorch/issues/5902",
    ),
    affected_control="fork_dispose",
    survives_within="a column of int64 must stay shared",
    not_applicable=where_workers_are_forked,
    figures=(
        HazardFigure("base_collect", "private growth to collect without a frame", "bytes"),
        *(
            HazardFigure(
                f"{kind}_{access}{suffix}",
                f"private growth to {access} a column of {kind}{', after gc.freeze()' if suffix else ''}",
                "bytes",
            )
            for kind in KINDS
            for suffix in ("", "_frozen")
            for access in ACCESSES
        ),
    ),
)
