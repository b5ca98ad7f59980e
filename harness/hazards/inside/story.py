"""What a trial tells: who did and saw what, and what was measured on the way."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HazardReading:
    """The value of one figure in one trial of the hazard."""

    value: float
    trials: int | None = None
    """How often it was tried, where the value is a fraction."""


@dataclass(frozen=True)
class StoryEvent:
    """One line of the story: who, and what it did or saw."""

    who: str
    """`parent`, `worker`, `server` or `user`."""
    what: str
