"""The report of a trial: its events in order, and readings of figures."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HazardReading:
    """The value of one figure in one trial of the hazard."""

    value: float
    trials: int | None = None
    """Number of trials, if the value is a fraction; otherwise None."""


@dataclass(frozen=True)
class StoryEvent:
    """One step of the story: a participant, and what it did or observed."""

    who: str
    """`parent`, `worker`, `server` or `user`."""
    what: str
