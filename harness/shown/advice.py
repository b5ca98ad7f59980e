"""Advice: what the figures say of the choice, in sentences that are computed from them."""

from collections.abc import Callable, Iterator
from math import ceil

FORKED, POOLLESS = "fork_dispose", "nullpool"
"""Where the parent has no other thread, held lock or open transaction: with a pool in the worker, or none."""

ISOLATED = ("forkserver_preload", "forkserver", "spawn")
"""Where it has: nothing of the parent is inherited."""

Figures = Callable[[str, str], float | None]
"""The median of a strategy's metric, in seconds; None where it was not measured."""


def sentences(figures: Figures) -> list[str]:
    """The advice; a sentence whose figures are missing is left out."""
    return [*_choice(figures), *_pool(figures)]


def _choice(figures: Figures) -> Iterator[str]:
    rows = {name: figures(name, "time_to_first_row") for name in (FORKED, *ISOLATED)}
    known = {name: value for name, value in rows.items() if value is not None}
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
    once, each = figures(FORKED, "first_query"), figures(FORKED, "second_query")
    first, every = figures(POOLLESS, "first_query"), figures(POOLLESS, "second_query")
    if once is None or each is None or first is None or every is None:
        return
    if every <= each:
        yield f"{POOLLESS} was no dearer than a pool at any checkout here: measure again on a quiet machine."
        return
    later = f"{POOLLESS} costs {shown(every - each)} more at each further checkout"
    if once <= first:
        yield f"{later}, and nothing less at the first: the pool is cheaper from the start."
    else:
        number = 1 + ceil((once - first) / (every - each))
        yield (
            f"{FORKED} costs {shown(once - first)} more once, {later}: "
            f"from the {ordinal(number)} query on the pool is cheaper."
        )


def ordinal(number: int) -> str:
    """`2nd` of 2."""
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def shown(seconds: float) -> str:
    """Milliseconds, with no more digits than they are worth."""
    value = seconds * 1e3
    return f"{value:.0f} ms" if value >= 9.5 else f"{value:.1f} ms"
