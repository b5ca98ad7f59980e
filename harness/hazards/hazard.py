"""What a hazard is, and what a trial of it gives."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.hazards.inside.story import HazardReading, StoryEvent

if TYPE_CHECKING:
    from harness.hazards.inside.parent import Parent
    from harness.strategies import Strategy


class Severity(StrEnum):
    """What a hazard does to whoever meets it, worst first."""

    SILENT_LOSS = "silent loss"
    """Committed work is gone, and nobody is told."""
    WRONG_DATA = "wrong data"
    """A program can read what was meant for another one."""
    HANG = "hang"
    """A process waits for ever, without a message."""
    LOUD_ERROR = "loud error"
    """An exception, which at least is seen."""
    COST = "cost"
    """Memory, time or sessions that nobody meant to spend; every answer is right."""


class Verdict(StrEnum):
    """What a hazard does to a strategy."""

    SURVIVES = "survives"
    AFFECTED = "affected"
    NOT_APPLICABLE = "n/a"
    NO_RESULT = "no result"
    """The reproduction came to no result: neither affected nor survived."""

    @classmethod
    def _missing_(cls, value: object) -> "Verdict | None":
        """Read records written before the verdict was renamed, which say `struck`."""
        return cls.AFFECTED if value == "struck" else None

    @property
    def value_in_results(self) -> float:
        """0 survives, 1 affected, NaN otherwise: becoming affected is a regression."""
        return {Verdict.SURVIVES: 0.0, Verdict.AFFECTED: 1.0}.get(self, math.nan)


@dataclass(frozen=True)
class HazardFigure:
    """A quantity that a hazard measures besides its verdict."""

    id: str
    title: str
    unit: str
    """`fraction` (of a number of trials), `bytes`, `seconds` or `descriptors`."""

    def format(self, reading: HazardReading | None) -> str:
        """A reading with its unit, a fraction as `hits of trials`; empty without a reading."""
        if reading is None:
            return ""
        match self.unit:
            case "fraction":
                assert reading.trials is not None
                return f"{round(reading.value * reading.trials)} of {reading.trials}"
            case "bytes":
                return f"{reading.value / 2**20:.1f} MiB"
            case "seconds":
                return f"{reading.value:.3f} s"
            case _:
                return f"{reading.value:g}"


def always(strategy: "Strategy") -> str:
    """The hazard can befall every strategy."""
    return ""


def where_workers_are_forked(strategy: "Strategy") -> str:
    """The hazard is about what a worker inherits of its parent's memory."""
    return "" if strategy.start_method == "fork" else "its worker inherits nothing of the parent's memory"


def where_a_url_is_handed(strategy: "Strategy") -> str:
    """The hazard is about the URL that a worker makes its engine from."""
    return "its worker inherits the engine, and is handed no URL" if strategy.hands_engine else ""


def where_connections_are_pooled(strategy: "Strategy") -> str:
    """The hazard is about what a pool keeps."""
    return "" if strategy.pooled else "a NullPool keeps nothing: no connection, no count, no queue"


@dataclass(frozen=True)
class Hazard:
    """One way to fail, with a reproduction that needs no luck."""

    id: str
    """Stable, lower case, at most 20 characters: it is a parameter value in the results."""
    title: str
    description: str
    """What happens and why, in plain words."""
    symptom: str
    """What users report, as they see it."""
    affected_when: str
    """What counts as affected."""
    avoidance: str
    """What to do instead."""
    severity: Severity
    """The worst it does."""
    messages: tuple[str, ...]
    """What program, driver or server say then, verbatim where it is always the same: what people search for.

    Empty where all is silent.
    """
    links: tuple[str, ...]
    """Documentation and public threads."""
    reproduce: Callable[["Parent"], bool]
    """Runs in a parent program of its own; returns whether the strategy is affected.

    It raises when it could not tell: a reproduction without a result is an error, not a survival.
    """
    affected_control: str
    """A strategy that must be affected, or the reproduction proves nothing."""
    survives_control: str = ""
    """A strategy that must survive, or the reproduction strikes at random."""
    survives_within: str = ""
    """Where no strategy survives: what must survive in every trial, in words; if not, the trial raises."""
    deadline: float = 45.0
    """Seconds after which the trial is ended by force. Healthy trials need a small part of it."""
    not_applicable: Callable[["Strategy"], str] = always
    """Why it cannot befall a strategy; empty when it can.

    A strategy that could be affected but for what it does survives, and is tried. One that does not even have
    what is at stake (a worker without a frame, a pool without a queue) has survived nothing.
    """
    follows_releases: bool = True
    """Whether asv tries it with every release. One that no SQLAlchemy release can change is tried by
    `poolstart hazards` only: an asv run pays a process for each of its verdicts."""
    needs_tls: bool = False
    fills_server: bool = False
    """Whether it takes all sessions of a server, and so gets one of its own: others would be refused too."""
    figures: tuple[HazardFigure, ...] = ()

    @property
    def controls(self) -> str:
        """Which controls there are, in words."""
        survivor = f"`{self.survives_control}` survive" if self.survives_control else self.survives_within
        return f"`{self.affected_control}` must be affected, {survivor}"


@dataclass(frozen=True)
class Outcome:
    """The result of one trial."""

    hazard: str
    strategy: str
    verdict: Verdict
    reason: str = ""
    """Why the hazard is not applicable, or why there is no result."""
    readings: dict[str, HazardReading] = field(default_factory=dict)
    story: tuple[StoryEvent, ...] = ()
    seconds: float = 0.0
    """How long the trial took, for information."""
