"""The messages between the parent of probes and the process that observes it: lines of JSON.

Observed processes import this for type checking only. Moments are `time.monotonic_ns()`.
"""

from typing import TypedDict

from harness.lifecycles.messages import Row


class ProbesOrder(TypedDict):
    """The first line that the parent reads; the names of probes follow, a line each."""

    strategy: str
    driver: str
    """Its name in `harness.drivers`."""
    url: str
    mark: str
    """A random text to write into its own memory, from which a forked worker has it."""
    deadline: float
    """Seconds for the report of a probe, and again for its exit."""


class ProbesParentReport(TypedDict):
    """The first line that the parent writes, when its engine is warm."""

    pid: int
    python: str
    build: str
    sqlalchemy: str
    c_extensions: bool
    driver: dict[str, str | int]
    """As in `harness.lifecycles.messages.ParentReport`."""


class ProbeReport(TypedDict, total=False):
    """The line that the parent writes for a probe. Each kind of probe has its own readings."""

    outcome: str
    """`done`, `hung` or `failed`."""
    exitcode: int | None
    inherited: list[int]
    """The parent's garbage collections before the start, by generation."""
    rows: list[Row]
    pid: int
    ppid: int
    mark: str | None
    """The parent's mark if the worker has its parent's memory."""
    modules: list[str]
    """`bare`: the loaded modules."""
    at_start: list[int]
    """`plain`: garbage collections before SQLAlchemy is imported, by generation."""
    readings: list[tuple[int, list[int]]]
    """`plain`: moment and garbage collections at the first line, the first row and the second row."""
    code: dict[str, int]
    """`plain`: bytes of code objects by module."""
    calls: list[list[tuple[str, str, int]]]
    """`calls`: calls by module and function until the first row, and from there to the second."""
    import_calls: list[tuple[str, str, int]]
    """`imports`: calls by module and function during the imports."""
    collections: list[list[int]]
    """`measured`: see `harness.lifecycles.messages.WorkerReport`."""
    held: list[tuple[str, int]]
    """`memory`: bytes by module."""
