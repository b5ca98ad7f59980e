"""What a hazard declares, and the outcome of a trial."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from harness import drivers
from harness.drivers import Driver
from harness.fixes import Fix
from harness.hazards.conditions import Condition
from harness.hazards.inside.story import HazardReading, StoryEvent

if TYPE_CHECKING:
    from harness.strategies import Strategy


class Severity(StrEnum):
    """The worst effect of a hazard on a program, the worst first."""

    SILENT_LOSS = "silent loss"
    """Committed data is gone, or work that was accepted is not done, without an error."""
    WRONG_DATA = "wrong data"
    """A process can read rows that were meant for another."""
    HANG = "hang"
    """A process waits forever, without a message."""
    LOUD_ERROR = "loud error"
    """An exception, which at least is noticed."""
    COST = "cost"
    """Unintended use of memory, time or sessions; all answers are correct."""


class Verdict(StrEnum):
    """What a hazard does to a strategy."""

    SURVIVES = "survives"
    AFFECTED = "affected"
    NOT_APPLICABLE = "n/a"
    """The strategy lacks what the hazard is about, for example a pool."""
    NOT_TRIED = "not tried here"
    """This machine lacks what the trial needs, such as a library. It does not count as a verdict."""
    NO_RESULT = "no result"
    """The reproduction failed, so it shows nothing."""

    @classmethod
    def _missing_(cls, value: object) -> "Verdict | None":
        """Read records written before the verdict was renamed, which say `struck`."""
        return cls.AFFECTED if value == "struck" else None

    @property
    def value_in_results(self) -> float:
        """The value that asv stores: 0 survives, 1 affected, NaN otherwise. An increase is a regression."""
        return {Verdict.SURVIVES: 0.0, Verdict.AFFECTED: 1.0}.get(self, math.nan)


TRIED = (Verdict.AFFECTED, Verdict.SURVIVES)
"""The verdicts of trials that ended; only these count."""


@dataclass(frozen=True)
class HazardFigure:
    """A quantity that a hazard measures besides its verdict."""

    id: str
    title: str
    unit: str
    """`fraction` (of a number of trials), `bytes`, `seconds` or `descriptors`."""
    workload: str = ""
    """The workload of parent and workers, if the figure counts how often the hazard occurs unforced."""

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
    """For `Hazard.not_applicable`: the hazard applies to every strategy."""
    return ""


def nothing() -> str:
    """For `Hazard.missing`: a trial needs only what every installation has."""
    return ""


def where_workers_are_forked(strategy: "Strategy") -> str:
    """For `Hazard.not_applicable`: the hazard is about memory that a worker inherits from its parent."""
    return "" if strategy.start_method == "fork" else "its worker inherits nothing of the parent's memory"


def where_a_url_is_handed(strategy: "Strategy") -> str:
    """For `Hazard.not_applicable`: the hazard is about the URL that a worker makes its engine from."""
    return "its worker inherits the engine, and is handed no URL" if strategy.hands_engine else ""


def where_connections_are_pooled(strategy: "Strategy") -> str:
    """For `Hazard.not_applicable`: the hazard is about connections that a pool keeps."""
    return "" if strategy.pooled else "a NullPool keeps nothing: no connection, no count, no queue"


@dataclass(frozen=True)
class Hazard:
    """One way in which starting workers fails.

    Its module also has `reproduce(parent)`, which does not depend on chance. It runs in a parent process of
    its own, and returns whether the strategy is affected. It raises if it cannot tell: a failed reproduction
    is an error, not a survival. If there is a `condition`, it runs again with `Parent.keeps_condition`: the
    program keeps the condition, and must survive.
    """

    id: str
    """Stable, lower case, at most 20 characters: it is a parameter value in asv's results."""
    title: str
    description: str
    """What happens and why, in plain words."""
    symptom: str
    """What users observe and report."""
    affected_when: str
    """The observation that counts as affected."""
    avoidance: str
    """What to do instead, as a complete text: the terminal prints it by itself."""
    severity: Severity
    """Its worst effect."""
    messages: tuple[str, ...]
    """Error messages of the program, driver or server, verbatim, for people who search for them.

    Parts that vary, such as names and numbers, are left out. Empty if there is no message.
    """
    links: tuple[str, ...]
    """Documentation and public threads."""
    affected_control: str
    """The positive control: a strategy that must be affected, or the reproduction proves nothing."""
    survives_control: str = ""
    """The negative control: a strategy that must survive, or the reproduction proves nothing either."""
    survives_within: str = ""
    """The negative control if no strategy survives: what must hold within each trial, as a clause.

    For example `a column of int64 must stay shared`. `reproduce` raises if it does not hold.
    """
    condition: Condition | None = None
    """The condition that a program can keep so that the hazard cannot occur; None if only another strategy
    avoids it."""
    deadline: float = 45.0
    """Seconds after which the trial is killed; a normal trial takes a small fraction of that."""
    not_applicable: Callable[["Strategy"], str] = always
    """Returns why the hazard does not apply to a strategy, or an empty string if it does.

    It does not apply if the strategy lacks what the hazard is about (a worker without a frame, a pool without
    a queue). A strategy that avoids the hazard is tried, and survives it.
    """
    missing: Callable[[], str] = nothing
    """Returns what this machine lacks for a trial, such as a library; empty if it lacks nothing."""
    follows_releases: bool = True
    """Whether asv tries it with every release. False for a hazard that no release of SQLAlchemy can change:
    it is tried by `poolstart hazards` alone, because each verdict costs an asv run a process."""
    fixes: tuple[Fix, ...] = ()
    """The code for `avoidance`, if the program of a surviving strategy does not show it."""
    driver: str = drivers.MEASURED.name
    """The driver that it is about. With the default driver it is tried too, if it makes an engine with that
    driver itself."""
    by_driver: bool = False
    """Whether the verdict depends on the driver, so that it is tried with all of them."""
    monitored: bool = True
    """Whether the parent connects its monitor before the reproduction begins. False if the driver's libraries
    must not have been used by then."""
    needs_tls: bool = False
    """Whether it needs a server with TLS."""
    fills_server: bool = False
    """Whether it uses all sessions of a server. It gets a server of its own, so that other trials are not
    refused."""
    figures: tuple[HazardFigure, ...] = ()
    """The figures that it measures besides its verdict, with `Parent.measure`."""

    def tried_with(self, driver: Driver) -> bool:
        """Whether it is tried with this driver."""
        return self.by_driver or driver.name == self.driver

    def of_another_driver(self, driver: Driver) -> str:
        """Why it does not apply to a driver; empty if it does, or may."""
        if self.tried_with(driver) or drivers.MEASURED.name in (driver.name, self.driver):
            return ""
        return f"it is about {drivers.get(self.driver).title}"

    @property
    def controls(self) -> str:
        """The controls in words."""
        negative = (
            f"`{self.survives_control}` must survive" if self.survives_control else self.survives_within
        )
        return f"`{self.affected_control}` must be affected, {negative}"


@dataclass(frozen=True)
class Outcome:
    """The result of one trial."""

    hazard: str
    strategy: str
    verdict: Verdict
    reason: str = ""
    """Why the hazard is not applicable, was not tried, or has no result; otherwise empty."""
    with_condition: Verdict | None = None
    """The verdict with the hazard's condition kept; None if that was not tried. It is tried only if the
    strategy is affected."""
    readings: dict[str, HazardReading] = field(default_factory=dict)
    story: tuple[StoryEvent, ...] = ()
    seconds: float = 0.0
    """Duration of the trial, for information."""
