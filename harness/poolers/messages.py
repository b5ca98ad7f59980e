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
    pool: str
    """The class of the client's pool."""
    engine: list[str]
    """Arguments of create_engine, as in code; the last ones are those that the trial is about."""


class TimedOrder(TypedDict):
    """The first line that a timed parent reads; each further one is a worker, as route and token.

    It answers with a `LifecycleReport`.
    """

    driver: str
    strategy: str
    routes: dict[str, tuple[str, str]]
    """By name: URL, and arguments of create_engine as in code."""
    cpu: int | None
    deadline: float
