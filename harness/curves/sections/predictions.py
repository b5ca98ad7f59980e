"""The section about predictions."""

from collections.abc import Iterator, Sequence
from statistics import median

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves.predictions import SEED, VARIED_SEED, WITHIN, Prediction, Predictions
from harness.curves.sizes import TITLES

INTRODUCTION = """\
A bill does not know the session in which a fleet starts: all times of one hour may be longer than those of
another. So each strategy's fleet of 8 workers, which is on record, is measured again in turns with the drawn
ones (last rows). When the way a bill is computed changes, a new seed draws other fleets.
What it leaves out: a virtual machine may have given free memory back to its host, from which each page costs
more the first time; forks slow down once a fleet needs more new pages than the guest still holds.
"""


def section(draws: Sequence[Predictions]) -> Iterator[str]:
    """The newest draw with all its fleets, and the earlier ones in a sentence."""
    *earlier, newest = draws
    yield "## Predictions\n"
    yield f"{law(newest)} {summary(newest)}\n"
    yield INTRODUCTION
    if earlier:
        counts = ", ".join(
            f"{each.within('ready')} of {len(each.drawn)} fleets (seed {each.seed})" for each in earlier
        )
        yield (
            "Of earlier draws, which were known when its computation changed, the bill's time is within"
            f" {WITHIN:.0%} for {counts}.\n"
        )
    yield table([*newest.drawn, *newest.controls])


VARIED = """\
A bill with `--driver` multiplies the time of a fleet by the ratio of a single worker's processor time,
because a fleet keeps all processors busy; a fork server that preloads imports the driver once, which takes as
long as it takes a spawned worker. With `--pooler` each worker of a fleet saves a quarter of what a single one
saves: none of it if PgBouncer opens a session for each, half of it, on two cores, if all of them are open.
"""


def varied(draws: Sequence[Predictions]) -> Iterator[str]:
    """Fleets with another driver, or behind a pooler: the newest draw, the earlier ones in a sentence."""
    *earlier, newest = draws
    off = sorted(each.off("ready") for each in newest.drawn)
    level = f" Fleets on record took {newest.level:.2f} times as long in it." if newest.controls else ""
    yield "## Predictions with another driver or a pooler\n"
    yield VARIED
    parts = [
        f"Of {len(each.drawn)} fleets {fitted(each)}, {each.within('ready')} were ready within {WITHIN:.0%}"
        " of the bill's time."
        for each in (newest, *earlier)
    ]
    parts.insert(
        1, f"It was off by {off[0]:+.0%} to {off[-1]:+.0%}; {newest.within('memory')} took its memory.{level}"
    )
    yield " ".join(parts) + "\n"
    yield table([*newest.drawn, *newest.controls])


def fitted(found: Predictions) -> str:
    """Whether the computation of a bill was chosen by these fleets."""
    return f"drawn at random (seed {found.seed})" if found.seed >= VARIED_SEED else "to which this was fitted"


def table(fleets: Sequence[Prediction]) -> str:
    header = ["strategy", "workers", "with", "GiB", "away, ms"]
    header += ["ready, ms", "predicted", "off", "memory, MiB", "predicted", "off"]
    return markdown.table(header, list(map(cells, fleets)), figures=3)


def summary(found: Predictions) -> str:
    """How far the times of a session are off, and to which side."""
    off = [each.off("ready") for each in found.drawn]
    low = sum(each < 0 for each in off)
    level = f" Fleets on record took {found.level:.2f} times as long in it." if found.controls else ""
    return f"{low} of {len(off)} predicted times are too low; the median is off by {median(off):+.0%}.{level}"


def cells(each: Prediction) -> list[str]:
    """A row of `table`."""
    figures = [
        text
        for name, factor in (("ready", 1e3), ("memory", 2**-20))
        for text in (
            digits(each.measured[name] * factor),
            digits(each.predicted[name] * factor),
            f"{each.off(name):+.0%}",
        )
    ]
    around = [
        *([str(each.at["driver"])] if "driver" in each.at else []),
        *["PgBouncer"] * ("pooler" in each.at),
    ]
    return [
        str(each.at["strategy"]),
        f"{each.at['workers']:g}",
        TITLES[str(each.at["kind"])] if each.at["mib"] else ", ".join(around) or "no data",
        digits(float(each.at["mib"]) / 1024),
        digits(float(each.at["distance"]) * 1e3),
        *figures,
    ]


def law(found: Predictions) -> str:
    times, memory = found.within("ready"), found.within("memory")
    # The computation may have changed because of an earlier draw.
    known = ", known when the computation changed" if found.seed < SEED else ""
    return (
        f"Predictions: of {len(found.drawn)} fleets drawn at random and not fitted (seed {found.seed}"
        f"{known}), {times} were ready within {WITHIN:.0%} of the bill's time, and {memory} took its memory."
    )
