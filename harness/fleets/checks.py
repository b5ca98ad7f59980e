"""The reports of a fleet's parent, and the checks that a fleet must pass to count."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NotRequired, TypedDict

from harness.strategies import Strategy


class FleetOrder(TypedDict):
    """The parent's first line of input."""

    strategy: str
    url: str
    dataframe_mib: int
    """0 for none."""
    workers: int
    mark: str
    deadline: float
    """Seconds without a message of any worker after which the fleet counts as hung."""


class TreeMemory(TypedDict):
    """Bytes of parent, fork server, resource tracker and workers together."""

    pss: int
    page_tables: int


class FleetWorker(TypedDict):
    """The report of one worker."""

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
    memory: dict[str, TreeMemory]
    """After the first row (`first_row`), after a full collection in each worker (`collect`), and after each
    has read the texts of the DataFrame (`read`)."""
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
    if len({worker["row"][1] for worker in workers}) != len(workers):
        yield "workers shared a session"
    if any((worker["mark"] == fleet.mark) != fleet.strategy.inherits for worker in workers):
        yield f"a worker was not started by {fleet.strategy.start_method}"
    if any(worker["first_row"] <= report["called"] for worker in workers):
        yield "the clock ran backwards"
    if set(report.get("exitcodes", [])) != {0}:
        yield f"workers ended with {', '.join(map(str, report.get('exitcodes', [])))}"
    if report.get("row_after", ("", 0))[0] != fleet.token:
        yield "the parent's connection does not answer as before"
