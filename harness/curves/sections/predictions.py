"""The section about predictions."""

from collections.abc import Iterator, Sequence
from statistics import median

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves.predictions import SEED, WITHIN, Prediction, Predictions
from harness.curves.sections.sizes import KIND_TITLES

INTRODUCTION = """\
A bill does not know the session in which a fleet starts: all times of one hour may be longer than those of
another. So each strategy's fleet of 8 workers, which is on record, is measured again in turns with the drawn
ones (last rows). When the way a bill is computed changes, a new seed draws other fleets; the earlier draws
stay, computed as bills are now, and were known when it changed.
"""


KNOWN = ", known when the computation changed"


def section(draws: Sequence[Predictions]) -> Iterator[str]:
    yield "## Predictions\n"
    yield law(draws) + "\n"
    yield INTRODUCTION


def draw(found: Predictions) -> Iterator[str]:
    """The fleets of one session."""
    yield f"### The draw of seed {found.seed}\n"
    yield summary(found) + "\n"
    header = ["strategy", "workers", "data", "GiB", "away, ms"]
    header += ["ready, ms", "predicted", "off", "memory, MiB", "predicted", "off"]
    yield markdown.table(header, list(map(cells, [*found.drawn, *found.controls])), figures=3)


def summary(found: Predictions) -> str:
    """How far the times of a session are off, and to which side."""
    off = [each.off("ready") for each in found.drawn]
    low = sum(each < 0 for each in off)
    level = f" Fleets on record took {found.level:.2f} times as long in it." if found.controls else ""
    return f"{low} of {len(off)} predicted times are too low; the median is off by {median(off):+.0%}.{level}"


def cells(each: Prediction) -> list[str]:
    """A row of the table of `draw`."""
    figures = [
        text
        for name, factor in (("ready", 1e3), ("memory", 2**-20))
        for text in (
            digits(each.measured[name] * factor),
            digits(each.predicted[name] * factor),
            f"{each.off(name):+.0%}",
        )
    ]
    return [
        str(each.at["strategy"]),
        f"{each.at['workers']:g}",
        KIND_TITLES[str(each.at["kind"])] if each.at["mib"] else "none",
        digits(float(each.at["mib"]) / 1024),
        digits(float(each.at["distance"]) * 1e3),
        *figures,
    ]


def law(draws: Sequence[Predictions]) -> str:
    counts = "; ".join(
        "{} of the times, {} of the memory and {} of the memory after a full collection".format(
            *map(each.within, ("ready", "memory", "collected"))
        )
        + f" of {len(each.drawn)} fleets (seed {each.seed}{KNOWN * (each.seed < SEED)})"
        for each in draws
    )
    return f"Predictions: of fleets drawn at random and not fitted, within {WITHIN:.0%} are {counts}."
