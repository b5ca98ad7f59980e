"""The messages between the parent of a counted worker and the process that counts: lines of JSON.

Counted processes import this for type checking only.
"""

from typing import TypedDict

from harness.lifecycles.messages import Row


class CountOrder(TypedDict):
    """The line that the parent reads."""

    strategy: str
    url: str
    token: str
    callgrind: str
    """The program that runs an interpreter under callgrind."""
    deadline: float
    """Seconds for a worker's report, and again for its exit."""


class WorkerCountReport(TypedDict, total=False):
    """The line that the parent writes for each worker."""

    outcome: str
    """`done`, `failed` or `hung`."""
    exitcode: int | None
    rows: list[Row]
    marks: list[str | None]
    """For each mark: the module whose import begins, None where one ends, empty at the end of a phase."""
    recompiled: int
    """Modules whose bytecode was written while the counted worker ran."""


class CountParentReport(WorkerCountReport, total=False):
    """The first line: the worker that ran as usual, and the parent."""

    python: str
    sqlalchemy: str
    c_extensions: bool
    psycopg2: str
    uncompiled: int
    """Imported modules without bytecode on disk."""
