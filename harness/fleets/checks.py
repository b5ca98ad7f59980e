"""The reports of a fleet's parent, and the checks that a fleet must pass to count."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

from harness.strategies import Strategy


class FleetOrder(TypedDict):
    """The parent's first line of input."""

    strategy: str
    starter: str
    """What starts the workers: `harness.fleets.inside.starters`."""
    driver: str
    """Of the URL: `harness.drivers`."""
    postmaster: int
    """The pid of the server's main process; 0 if it is on another machine."""
    url: str
    options: dict[str, Any]
    """Of `create_engine`, besides the strategy's own; the workers' engines have them too."""
    data: str
    """What the parent holds: a kind of `harness.fleets.inside.data`, empty for nothing."""
    mib: int
    """The size of the data."""
    write: bool
    """Whether the parent writes to its data before the first fleet starts."""
    mark: str
    deadline: float
    """Seconds without a message of any worker after which the fleet counts as hung."""


class FleetLine(TypedDict):
    """The order for one fleet."""

    token: str
    workers: int
    steps: list[Any]
    """What the workers do after their first row, one after another, as `harness.fleets.inside.worker` says;
    with `write` the parent writes to its data meanwhile."""


class TreeMemory(TypedDict):
    """Bytes of parent, fork server, resource tracker and workers together."""

    pss: int
    page_tables: int


class FleetParentReport(TypedDict):
    """What the parent reports once its data are there."""

    pid: int
    huge: int
    """Bytes of it on huge pages."""
    rss: int
    write: tuple[int, float] | None
    """Bytes that it wrote to, and seconds; None if it has no data."""


class FleetWorker(TypedDict):
    """The report of one worker."""

    begun: int
    """When it reached the first line of its function, in nanoseconds of the monotonic clock."""
    first_row: int
    """When it had its row, in nanoseconds of the monotonic clock."""
    row: tuple[str, int]
    """The token, and the pid of the backend."""
    pid: int
    mark: str | None


class FleetReport(TypedDict):
    """What the parent reports of one fleet. Moments are nanoseconds of the monotonic clock."""

    outcome: Literal["done", "hung", "failed"]
    token: str
    called: int
    """Right before the first start."""
    returned: NotRequired[int]
    """When the last start had returned."""
    workers: NotRequired[list[FleetWorker]]
    cpu: NotRequired[float]
    """Seconds of processor time of the tree from `called` until the parent received the last report."""
    server_cpu: NotRequired[float]
    """Seconds of the server's processor time until then; not there if it is on another machine."""
    memory: dict[str, TreeMemory]
    """After the first row (`first_row`), and after each step that is a word: a full collection in each worker
    (`collect`), or each has read the texts of the DataFrame (`read`)."""
    answers: list[list[Any]]
    """What the workers answered to the other steps."""
    write: NotRequired[tuple[int, float]]
    """Bytes that the parent wrote to, and seconds."""
    ended: NotRequired[int]
    """When the last worker was reaped."""
    exitcodes: NotRequired[list[int | None]]
    row_after: NotRequired[tuple[str, int]]
    """What the parent's engine returns afterwards."""


@dataclass(frozen=True)
class Fleet:
    """A fleet that the parent was ordered to start, and what marks its rows and its memory."""

    strategy: Strategy
    workers: int
    token: str
    mark: str
    multiplexed: bool = False
    """Whether a pooler may give the sessions of one worker to another."""


def findings(fleet: Fleet, report: FleetReport) -> Iterator[str]:
    """What is wrong with a fleet; nothing if it counts."""
    workers = report.get("workers", [])
    if report["outcome"] != "done":
        yield f"the fleet {report['outcome']} with {len(workers)} of {fleet.workers} rows"
        return
    if len({worker["pid"] for worker in workers}) != fleet.workers:
        pids = len({worker["pid"] for worker in workers})
        yield f"{len(workers)} workers for {fleet.workers}, of {pids} pids"
    if any(worker["row"][0] != fleet.token for worker in workers):
        yield "a worker returned another fleet's row"
    if not fleet.multiplexed and len({worker["row"][1] for worker in workers}) != len(workers):
        yield "workers shared a session"
    if any((worker["mark"] == fleet.mark) != fleet.strategy.inherits for worker in workers):
        yield f"a worker was not started by {fleet.strategy.start_method}"
    if any(worker["first_row"] <= report["called"] for worker in workers):
        yield "the clock ran backwards"
    if set(report.get("exitcodes", [])) != {0}:
        yield f"workers ended with {', '.join(map(str, report.get('exitcodes', [])))}"
    if report.get("row_after", ("", 0))[0] != fleet.token:
        yield "the parent's connection does not answer as before"
