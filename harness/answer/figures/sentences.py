"""Sentences in Markdown on what the measured figures mean for the choice; none without figures."""

from collections.abc import Iterator
from math import ceil, log10

from harness.answer import recommendation
from harness.answer.figures import ranking
from harness.answer.figures.ranking import CellFigure, Figures, MedianRange, Order
from harness.answer.recommendation import BOOTED, FORKED, ISOLATED, POOLLESS, PRELOADED, SERVED
from harness.console.numbers import task_length, two_digits

START_SHARE = 0.1
"""The share of a worker's life that its start may take before a faster start is recommended."""


def beside_the_rules(figures: Figures, break_even: str) -> list[str]:
    """Sentences on what a pool saves, and on memory."""
    return [*filter(None, [pool(figures, break_even)]), *memory(figures)]


def choice(figures: Figures) -> Iterator[str]:
    """Each rule with the cost of its strategy; nothing without any cost."""
    rows = {name: figures(name, "time_to_first_row") for name in (FORKED, POOLLESS, *ISOLATED)}
    known = {name: row.median for name, row in rows.items() if row is not None}
    if not known:
        return
    conditions = recommendation.conditions_of_fork()
    yield f"The first of these that matches decides; fork's conditions are {conditions}."
    for rule in recommendation.rules(life(figures)):
        cost = f", first row after {milliseconds(known[rule.strategy])}" if rule.strategy in known else ""
        yield f"{rule.in_order}: `{rule.strategy}`{cost}."
    others = " and ".join(
        f"{milliseconds(known[name])} with `{name}`" for name in (SERVED, BOOTED) if name in known
    )
    if PRELOADED in known and others:
        first = figures(PRELOADED, "first_worker")
        once = f"; its first worker: {milliseconds(first.median)}" if first else ""
        yield f"For comparison with `{PRELOADED}`: {others}{once}. {recommendation.SPAWN_INSTEAD}"


def pool(figures: Figures, break_even: str) -> str:
    """A sentence on what the pool of a forked worker saves at each checkout, and when it pays off.

    `break_even` is its end (`harness.curves.sections.work.break_even`). Empty without figures.
    """
    first, later = (both(figures, metric) for metric in ("first_query", "second_query"))
    if first is None or later is None:
        return ""
    if (order := ranking.order(*later)) is not Order.SMALLER:
        cost = Order.UNKNOWN if order is Order.UNKNOWN else "are no cheaper with the pool"
        return f"At further checkouts `{FORKED}` and `{POOLLESS}` {cost} here: measure on a quiet machine."
    saved = f"`{POOLLESS}` costs {dearer(*later)} more at each further checkout"
    end = f"; {break_even}" if break_even else ""
    match ranking.order(*first):
        case Order.SMALLER:
            return f"{saved}, and more at the first{end}."
        case Order.LARGER:
            return f"`{FORKED}` costs {dearer(*first[::-1])} more once, {saved}{end}."
        case Order.UNKNOWN:
            return f"Until the first row, `{FORKED}` and `{POOLLESS}` {Order.UNKNOWN}; {saved}{end}."


def both(figures: Figures, metric: str) -> tuple[CellFigure, CellFigure] | None:
    """A metric with a pool, and without one; None if either is missing."""
    pooled, poolless = figures(FORKED, metric), figures(POOLLESS, metric)
    if pooled is None or poolless is None:
        return None
    return CellFigure(pooled, metric, FORKED), CellFigure(poolless, metric, POOLLESS)


def dearer(one: CellFigure, other: CellFigure) -> str:
    """By how much the second figure is larger."""
    return milliseconds(other.estimate.median - one.estimate.median)


def memory(figures: Figures) -> Iterator[str]:
    """Sentences on the memory of one more worker, before and after a full garbage collection."""
    rows = [
        (name, unique, figures(name, "uss_collected"))
        for name in (FORKED, PRELOADED, BOOTED)
        if (unique := figures(name, "uss"))
    ]
    if len(rows) < 2:
        return
    costs = [
        (f"{mebibytes(unique)} and " if collected else "") + f"{mebibytes(collected or unique)} with `{name}`"
        for name, unique, collected in rows
    ]
    yield f"One more worker takes, before and after its first full garbage collection: {', '.join(costs)}."
    copied = [
        f"`{name}`"
        for name, unique, collected in rows
        if collected
        and ranking.order(CellFigure(collected, "uss_collected", name), CellFigure(unique, "uss", name))
        is Order.LARGER
    ]
    if copied:
        names = " and ".join(copied)
        yield (
            f"The collection writes to every page of objects that {names} workers share with the process they"
            " were forked from. `gc.collect(); gc.freeze()` before the fork, or in the last preloaded module,"
            " prevents it (`fork_freeze`, `forkserver_freeze`)."
        )


def threshold(figures: Figures) -> float | None:
    """Seconds that a worker must live for a fork server's start to take less than `START_SHARE` of them."""
    preloaded = figures(PRELOADED, "time_to_first_row")
    return rounded_up(preloaded.median * (1 - START_SHARE) / START_SHARE) if preloaded else None


def life(figures: Figures) -> str:
    """The threshold in words."""
    seconds = threshold(figures)
    return task_length(seconds) if seconds else recommendation.UNKNOWN_LIFE


def milliseconds(seconds: float) -> str:
    """Milliseconds, to two digits."""
    return f"{two_digits(seconds * 1e3)} ms"


def mebibytes(estimate: MedianRange) -> str:
    return f"{two_digits(estimate.median / 2**20)} MiB"


def rounded_up(seconds: float) -> float:
    """Seconds, rounded up to two digits: a threshold that is easy to remember, and never too small."""
    step = 10 ** (int(log10(seconds)) - (2 if seconds < 1 else 1))
    return float(ceil(seconds / step) * step)
