"""The figures of pools, and the record of them."""

from dataclasses import dataclass, field

from harness.records.provenance import Provenance


@dataclass(frozen=True)
class PoolFigures:
    """The figures of pools of one size under one strategy; times in seconds, one for each pool."""

    strategy: str
    workers: int
    first: tuple[float, ...] = ()
    """From the call of `Pool()` until the first worker has its row."""
    last: tuple[float, ...] = ()
    """From the call of `Pool()` until the last worker has its row."""
    blocked: tuple[float, ...] = ()
    """From the call of `Pool()` until it returns."""
    uss: tuple[int, ...] = ()
    """Unique memory in bytes of each worker of each pool, while all wait for their first task."""
    reason: str = ""
    """Why there are no figures; empty if there are."""


@dataclass(frozen=True)
class RaisingInitializer:
    """A `Pool(2)` whose initializer raises an exception."""

    workers: int
    """Workers that the pool had created when it was terminated."""
    ran: bool
    """Whether its task was run."""


@dataclass(frozen=True)
class TaskWorkers:
    """A `Pool(2, maxtasksperchild=1)`."""

    tasks: int
    workers: int
    """Processes that ran the tasks."""
    initialized: int
    """How many of these had run the initializer."""
    forked_by_main: int
    """Forks of the parent's main thread."""
    forked_by_others: int
    """Forks of another thread of the parent, which is that of the pool."""


@dataclass(frozen=True)
class PoolBehaviour:
    """How pools behave under one start method."""

    start_method: str
    raising: RaisingInitializer
    replacing: TaskWorkers


@dataclass(frozen=True)
class PoolsTable:
    """All figures of pools, and where and when they were measured."""

    provenance: Provenance
    parents: int
    """Parents of each strategy and size."""
    pools: int
    """Pools of each parent."""
    cells: tuple[PoolFigures, ...]
    behaviours: tuple[PoolBehaviour, ...]
    later: dict[str, Provenance] = field(default_factory=dict)
    """The provenance of rows that were measured after the rest of the table, by strategy."""

    def cell(self, strategy: str, workers: int) -> PoolFigures | None:
        """The figures of a strategy and a size, None if they are not in the table."""
        for cell in self.cells:
            if (cell.strategy, cell.workers) == (strategy, workers):
                return cell
        return None
