"""Advice: what the figures say of the choice, in sentences that are computed from them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Protocol

FORKED, POOLLESS = "fork_dispose", "nullpool"
"""Where the parent has no other thread, held lock or open transaction: with a pool in the worker, or none."""

PRELOADED, SERVED, BOOTED = "forkserver_preload", "forkserver", "spawn"

ISOLATED = (PRELOADED, SERVED, BOOTED)
"""Where it has: nothing of the parent is inherited."""


class Estimate(Protocol):
    """A median in seconds or bytes, and from where to where it may lie."""

    @property
    def median(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@dataclass(frozen=True)
class Range:
    """An estimate."""

    median: float
    low: float
    high: float


Figures = Callable[[str, str], Estimate | None]
"""A strategy's metric; None where it was not measured."""


@dataclass(frozen=True)
class Crossing:
    """From which query on a pool costs less than NullPool, both after the same start."""

    pooled_first: float
    pooled_next: float
    poolless_first: float
    poolless_next: float
    level: bool
    """Whether the first queries cannot be told apart: their intervals overlap."""

    @classmethod
    def of(cls, figures: Figures) -> "Crossing | None":
        pooled, poolless = figures(FORKED, "first_query"), figures(POOLLESS, "first_query")
        again, anew = figures(FORKED, "second_query"), figures(POOLLESS, "second_query")
        if pooled is None or poolless is None or again is None or anew is None:
            return None
        level = pooled.low <= poolless.high and poolless.low <= pooled.high
        return cls(pooled.median, again.median, poolless.median, anew.median, level)

    @property
    def saved(self) -> float:
        """What the pool saves at each checkout but the first."""
        return self.poolless_next - self.pooled_next

    @property
    def query(self) -> int | None:
        """The first query at which the pool has cost no more in all; None where it always has."""
        if self.saved <= 0:
            return None
        if self.level:
            return 2
        return 1 + max(0, ceil((self.pooled_first - self.poolless_first) / self.saved))

    def pooled(self, queries: int) -> float:
        return self.pooled_first + (queries - 1) * self.pooled_next

    def poolless(self, queries: int) -> float:
        return self.poolless_first + (queries - 1) * self.poolless_next


def sentences(figures: Figures) -> list[str]:
    """The advice; a sentence whose figures are missing is left out."""
    return [*_choice(figures), *_pool(figures)]


def _choice(figures: Figures) -> Iterator[str]:
    rows = {name: figures(name, "time_to_first_row") for name in (FORKED, *ISOLATED)}
    known = {name: row.median for name, row in rows.items() if row is not None}
    if FORKED in known:
        yield (
            "With no other thread, no lock held and no transaction open in the parent: "
            f"{FORKED}, which has its first row after {shown(known[FORKED])}."
        )
    isolated = sorted((known[name], name) for name in ISOLATED if name in known)
    if isolated:
        (value, name), *others = isolated
        told = ", ".join(f"{shown(other)} with {each}" for other, each in others)
        yield f"Otherwise {name}: {shown(value)}{f'; {told}' if told else ''}."


def _pool(figures: Figures) -> Iterator[str]:
    """From which checkout on the pool of a forked worker is cheaper than none."""
    crossing = Crossing.of(figures)
    if crossing is None:
        return
    later = f"{POOLLESS} costs {shown(crossing.saved)} more at each further checkout"
    match crossing.query:
        case None:
            yield (
                f"{POOLLESS} was no dearer than a pool at any checkout here: "
                "measure again on a quiet machine."
            )
        case 1:
            yield f"{later}, and nothing less at the first: the pool is cheaper from the start."
        case number if crossing.level:
            yield (
                f"At the first query {FORKED} and {POOLLESS} cannot be told apart; {later}: "
                f"from the {ordinal(number)} query on the pool is cheaper."
            )
        case number:
            once = crossing.pooled_first - crossing.poolless_first
            yield (
                f"{FORKED} costs {shown(once)} more once, {later}: "
                f"from the {ordinal(number)} query on the pool is cheaper."
            )


def ordinal(number: int) -> str:
    """`second` of 2, `22nd` of 22."""
    if 1 <= number <= 5:
        return ("first", "second", "third", "fourth", "fifth")[number - 1]
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def shown(seconds: float) -> str:
    """Milliseconds, with no more digits than they are worth."""
    value = seconds * 1e3
    return f"{value:.0f} ms" if value >= 9.5 else f"{value:.1f} ms"
