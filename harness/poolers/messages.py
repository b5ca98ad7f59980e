"""The messages of the programs in `inside/`: lines of JSON. They import this for type checking only."""

from typing import TypedDict


class PoolerTrialOrder(TypedDict):
    """A line that the program of trials reads, after one with the name of its driver."""

    trial: str
    """The name of a function in `harness.poolers.inside`."""
    url: str
    """For the driver: of the pooler, or of the server itself."""
    direct: str
    """A libpq URL of the server itself."""
    console: str
    """A libpq URL of PgBouncer's console; empty without a pooler."""
    pool: str
    """The class of the client's pool."""
    engine: list[str]
    """Arguments of create_engine, as in code; the last ones are those that the trial is about."""


class PoolerTrialReport(TypedDict):
    """What it writes about a trial."""

    outcome: str


class TimedOrder(TypedDict):
    """The first line that a timed parent reads."""

    driver: str
    strategy: str
    routes: dict[str, tuple[str, str]]
    """By name: URL, and arguments of create_engine as in code."""
    cpu: int | None
    deadline: float


class TimedRequest(TypedDict):
    """A further line: one worker. The parent answers with a `LifecycleReport`."""

    route: str
    token: str
