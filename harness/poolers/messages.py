"""The order of a trial, a line of JSON. The program in `inside/` imports this for type checking only."""

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
