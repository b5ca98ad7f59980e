"""Advice in sentences that are computed from the figures, and the curves behind its thresholds."""

from math import ceil, log10

from harness import strategies
from harness.answer.recommendation import BOOTED, FORKED, POOLLESS, PRELOADED, SERVED, Crossing, ordinal
from harness.console.numbers import digits
from harness.site.results import ReleaseFigures

__all__ = ["BOOTED", "FORKED", "POOLLESS", "PRELOADED", "SERVED"]

SHARE = 0.1
"""The part of a worker's life that its start may take: where the curve of task lengths is read off."""


def ms(seconds: float) -> str:
    return f"{digits(seconds * 1e3)} ms"


def length(seconds: float) -> str:
    """A task's length as people say it."""
    return (
        f"{seconds * 1e3:.0f} ms"
        if seconds < 1
        else f"{seconds:.1f} s"
        if seconds < 10
        else f"{seconds:.0f} s"
    )


def mebibytes(size: float) -> str:
    return f"{digits(size / 2**20)} MiB"


def times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def median(release: ReleaseFigures, metric: str, strategy: str, dataframe: str) -> float | None:
    figure = release.of(metric, strategy, dataframe)
    return figure.median if figure else None


def crossing_of(release: ReleaseFigures, dataframe: str) -> Crossing | None:
    return Crossing.of(lambda strategy, metric: release.of(metric, strategy, dataframe))


def long_enough(start: float) -> float:
    """The length of task from which on a start takes less than `SHARE` of the whole."""
    return start * (1 - SHARE) / SHARE


def share(start: float, task: float) -> float:
    return start / (start + task)


def rounded_up(seconds: float) -> float:
    """To two digits: a threshold that people can keep in mind, never too small."""
    step = 10 ** (int(log10(seconds)) - (2 if seconds < 1 else 1))
    return float(ceil(seconds / step) * step)


def sentences(release: ReleaseFigures, dataframe: str) -> list[str]:
    """What the figures of one release and DataFrame setting advise; as many as can be computed."""
    said: list[str] = []

    def read(metric: str, strategy: str, frame: str = dataframe) -> float | None:
        return median(release, metric, strategy, frame)

    forked, booted = read("time_to_first_row", FORKED), read("time_to_first_row", BOOTED)
    if forked and booted:
        said.append(
            f"<b>fork and dispose</b> has its first row after {ms(forked)}, <b>spawn</b> after {ms(booted)},"
            f" {times(booted / forked)} times as long. But fork wants a parent without other threads,"
            " held locks or open transactions."
        )
    preloaded, first = read("time_to_first_row", PRELOADED), read("first_worker", PRELOADED)
    if preloaded and booted and first:
        said.append(
            f"Where fork is out of the question, <b>forkserver with preload</b> has its first row after"
            f" {ms(preloaded)}; only the first worker waits {ms(first)}, for the server to boot."
        )
    crossing, dispose = crossing_of(release, dataframe), read("engine", FORKED)
    if crossing and dispose:
        price = ms(crossing.saved) if crossing.saved > 0 else "nothing that could be measured"
        told = f"<b>dispose</b> costs {ms(dispose)} once, <b>NullPool</b> {price} at each further checkout:"
        match crossing.query:
            case None:
                said.append(f"{told} the pool never pays.")
            case number:
                said.append(f"{told} from the {ordinal(number)} query on the pool is cheaper.")
    unique, spawned = read("uss", FORKED), read("uss", BOOTED)
    collected = read("uss_collected", FORKED)
    if unique and spawned:
        said.append(
            f"One more worker costs {mebibytes(unique)} when forked, {mebibytes(spawned)} when spawned"
            + (
                f"; a garbage collection writes to what is shared: the forked one's {mebibytes(collected)}."
                if collected and collected > 1.2 * unique
                else "."
            )
        )
    if dataframe == "large":
        small, large = read("startup", FORKED, "none"), read("startup", FORKED)
        if small and large and large > small:
            said.append(
                f"The frame makes a fork {ms(large - small)} slower, for its page tables are copied;"
                " a spawned worker does not notice it, and does not have it."
            )
    return said


def quickest(release: ReleaseFigures, dataframe: str) -> str | None:
    """The strategy whose first row comes first, of those that share no connection."""
    known = [
        (figure.median, each.id)
        for each in strategies.CATALOGUE
        if each.safe and (figure := release.of("time_to_first_row", each.id, dataframe))
    ]
    return min(known)[1] if known else None
