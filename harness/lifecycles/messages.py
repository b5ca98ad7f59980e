"""The messages between a parent program, its handle and its workers: lines of JSON, and pickled reports.

Measured processes import this for type checking only. Moments are `time.monotonic_ns()`, a clock that all
processes of a Linux machine share.
"""

from typing import NotRequired, TypedDict

Row = tuple[str, int]
"""A row that proves a query: the token that was sent, and the pid of the backend that answered. A list of two
after its way through JSON."""


class ParentOrder(TypedDict):
    """The first line that a parent reads: what to hold, and how to start workers."""

    strategy: str
    driver: str
    """Its name in `harness.drivers`."""
    url: str
    dataframe_mib: int
    mark: str
    """A random text to write into its own memory, from which a forked worker has it."""
    deadline: float
    """Seconds for a worker's report, and again for its exit."""
    cpu: int | None
    """The processor to run on once it is ready; None for any."""
    of_pair: bool
    """Whether it scatters its heap, and a fork server that preloads collects all garbage before it forks."""


class ParentReport(TypedDict):
    """The first line that a parent writes, when it is ready."""

    pid: int
    backend: int
    """The pid of the backend of its pooled connection."""
    frame_resident: int
    """Bytes of unique memory that the DataFrame added."""
    python: str
    build: str
    sqlalchemy: str
    c_extensions: bool
    dialect: str
    """The driver of its engine, as a URL names it."""
    driver: dict[str, str | int]
    """Versions of the driver, by its module, and of `libpq`, and its `implementation` if it has several."""
    uncompiled: int
    """Imported modules without bytecode on disk."""


class WorkerOrder(TypedDict):
    """A line that a parent reads for each worker to start."""

    token: str
    collect: bool
    """Whether the worker ends with a full garbage collection."""


class WorkerReport(TypedDict):
    """What a worker sends its parent."""

    started: int
    """The first line of its function."""
    usable: int
    """Its engine is usable."""
    first_row: int
    second_row: int
    cpu_started: int
    """CPU time of the worker so far, in nanoseconds, right behind the timestamp of the same name."""
    cpu_usable: int
    cpu_first_row: int
    cpu_second_row: int
    rows: list[Row]
    pid: int
    ppid: int
    mark: str | None
    """The parent's mark if it has its parent's memory."""
    preloaded: bool
    """Whether SQLAlchemy was loaded before any module of this repository."""
    pandas: bool
    modules: int
    collections: list[list[int]]
    """Garbage collections so far by generation: at the first line, after engine, first and second row."""
    memory: dict[str, int]
    """Bytes (`harness.system.memory.read`)."""
    collect: NotRequired[int]
    """Nanoseconds of a full garbage collection."""
    memory_collected: NotRequired[dict[str, int]]
    driver: NotRequired[str]
    """The engine's driver, as a URL names it."""
    imported: NotRequired[list[str]]
    """All modules in the order of their imports, those that a fork server has preloaded first."""


class LifecycleReport(TypedDict, total=False):
    """The line that a parent writes for each worker; a worker that hung or failed lacks what comes later."""

    outcome: str
    """`done`, `hung` or `failed`."""
    token: str
    parent_uss: int
    """The parent's unique memory in bytes, after the worker has exited."""
    pickled: int
    """Bytes that were pickled to the worker, besides multiprocessing's own."""
    collections: list[int]
    """The parent's garbage collections before the start, by generation."""
    called: int
    """`Process.start()` is called."""
    returned: int
    """`Process.start()` has returned."""
    cpu_called: int
    """CPU time of the parent's thread so far, in nanoseconds, beside the timestamp of the same name."""
    cpu_returned: int
    worker: WorkerReport
    released: int
    """The parent lets the worker exit."""
    reaped: int
    exitcode: int | None
    backend_before: int
    """The backend of the parent's pooled connection before the start."""
    row_after: Row
    """A row that the parent fetched afterwards."""
    killed: bool
    """Whether the parent's session had been ended."""
