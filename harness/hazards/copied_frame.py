"""What a forked worker copies of the parent's DataFrame by using it."""

import gc
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.hazards.hazard import Figure, Hazard
from harness.hazards.parent import Parent
from harness.hazards.worker import Inside

BYTES = 16 * 2**20
"""About what each column takes."""

BOUND = 0.25
"""The part of the column that reading or collecting may copy."""

FRAMES: dict[str, Any] = {}
"""The parent's frames, by the kind of their column; empty in a worker that does not inherit them."""


@dataclass(frozen=True)
class Column:
    """A kind of column: how it is built, read value by value, and written."""

    build: Callable[[], Any]
    read: Callable[[Any], object]
    write: Callable[[Any], object]


def integers() -> Any:
    import numpy
    import pandas

    return pandas.DataFrame({"value": numpy.arange(BYTES // 8, dtype="int64")})


def texts() -> list[str]:
    return [f"row {number}" for number in range(BYTES // 64)]  # 8 bytes of pointer, 56 of text


def object_text() -> Any:
    import pandas

    return pandas.DataFrame({"value": pandas.Series(texts(), dtype=object)})


def arrow_text() -> Any:
    import pandas

    return pandas.DataFrame({"value": pandas.Series(texts() * 4, dtype=pandas.ArrowDtype(_arrow().string()))})


def _arrow() -> Any:
    return importlib.import_module("pyarrow")


def lists() -> Any:
    import pandas

    return pandas.DataFrame(
        {"value": pandas.Series([[number] for number in range(BYTES // 96)], dtype=object)}
    )


def read_numbers(frame: Any) -> object:
    return frame["value"].sum()


def read_objects(frame: Any) -> object:
    return sum(len(value) for value in frame["value"].array)


def assign(frame: Any) -> object:
    frame.iloc[:, 0] = frame["value"].iloc[0]
    return frame


def append(frame: Any) -> object:
    for value in frame["value"].array:
        value.append(0)
    return frame


COLUMNS = {
    "int64": Column(integers, read_numbers, assign),
    "text": Column(object_text, read_objects, assign),
    "arrow": Column(arrow_text, read_objects, assign),
    "lists": Column(lists, read_objects, append),
}
ACCESSES = ("read", "collect", "write")


def private_bytes() -> int:
    """Memory this process shares with no other (the private lines of Linux's smaps_rollup)."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))


def use(inside: Inside, kind: str, access: str) -> int | None:
    """The growth of the worker's private memory by one use of the frame; None where there is no frame."""
    inside.engine()
    frame = FRAMES.get(kind)
    column = COLUMNS[kind]
    before = private_bytes()
    if access == "collect":
        gc.collect()
    elif frame is None:
        return None
    else:
        kept = (column.read if access == "read" else column.write)(frame)
        del kept
    return private_bytes() - before


def reproduce(parent: Parent) -> bool:
    engine = parent.engine()
    parent.warm(engine)
    inherited = parent.strategy.start_method == "fork"
    # A worker that inherits no frame has the same to collect, whatever the parent built.
    kinds = (
        [kind for kind in COLUMNS if kind != "arrow" or importlib.util.find_spec("pyarrow")]
        if inherited
        else ["int64"]
    )
    struck = False
    for kind in kinds:
        FRAMES[kind] = COLUMNS[kind].build()
        size = int(FRAMES[kind].memory_usage(deep=True).sum())
        copied = {}
        for freeze in (False, True):
            if freeze:
                gc.freeze()
            for access in ACCESSES if inherited else ("collect",):
                growth = parent.start(use, kind, access, engine=engine).answer()
                parent.measure(f"{kind}_{access}{'_frozen' if freeze else ''}", growth)
                copied[access, freeze] = growth
                # To write is to copy; to read and to collect should not be.
                struck |= not freeze and access != "write" and growth > BOUND * size
            gc.unfreeze()
        FRAMES.clear()
        parent.tell("parent", f"Has a frame with a column of {kind}, {size / 2**20:.0f} MiB.")
        parent.tell(
            "worker",
            "Its private memory grows by "
            + ", ".join(
                f"{copied[access, False] / 2**20:.1f} MiB to {access}"
                for access, freeze in copied
                if not freeze
            )
            + "; after gc.freeze() in the parent by "
            + ", ".join(f"{copied[access, True] / 2**20:.1f}" for access, freeze in copied if freeze)
            + ".",
        )
    parent.tell("user", "Workers that grow while they only read." if struck else "Nothing unusual.")
    return struck


HAZARD = Hazard(
    id="copied_frame",
    title="A shared DataFrame that becomes private",
    description=(
        "fork shares the parent's memory until somebody writes to it. To read a Python object is to write"
        " its reference count, and a run of the garbage collector writes to every container. So a worker"
        " that only reads a column of strings or lists copies it, page by page; a column of int64 or of"
        " Arrow strings has no objects in it and stays shared. gc.freeze() in the parent keeps the"
        " collector away, but not the reference counts. A spawned worker inherits no frame: it has nothing"
        " to copy, and nothing to read."
    ),
    symptom=(
        "Memory grows with every worker and with time, although the data is read only; then the OOM killer"
        " comes."
    ),
    struck_when=(
        "Reading or collecting makes the worker's private memory grow by more than a quarter of the column."
    ),
    avoidance="Share int64, float64 or Arrow columns; call gc.freeze() before the fork.",
    links=(
        "https://docs.python.org/3/library/gc.html#gc.freeze",
        "https://github.com/pytorch/pytorch/issues/13246",
        "https://github.com/pytorch/pytorch/issues/5902",
    ),
    reproduce=reproduce,
    struck_control="fork_dispose",
    survives_control="spawn",
    figures=tuple(
        Figure(
            f"{kind}_{access}{suffix}",
            f"private growth to {access} a column of {kind}{', after gc.freeze()' if suffix else ''}",
            "bytes",
        )
        for kind in COLUMNS
        for suffix in ("", "_frozen")
        for access in ACCESSES
    ),
)
