"""The section about predictions."""

from collections.abc import Iterator, Sequence
from statistics import median

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves.bill import Coefficients
from harness.curves.outcomes import SEED, VARIED_SEED, WITHIN, Prediction, Predictions
from harness.curves.sizes import TITLES
from harness.records.provenance import Provenance
from harness.system.memory import MIB

INTRODUCTION = """\
A bill does not know how fast the machine is at the moment: all times of one hour may be longer than those of
another. So the fleets of 8 workers that are on record are measured again, in turns with the drawn ones (last
rows). When the computation of a bill changes, a new seed draws other fleets.
A bill leaves one effect out: a virtual machine may have given free memory back to its host, and then the
first use of each page costs more. Forks slow down once a fleet needs more new pages than the guest still
holds.
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
            "Earlier draws were known when the computation last changed; the bill's time is within"
            f" {WITHIN:.0%} for {counts}.\n"
        )
    yield table([*newest.drawn, *newest.controls])


VARIED = """\
With `--driver`, a bill multiplies the time of a fleet by the ratio of a single worker's time until its first
row. A fork server that preloads imports the driver once, which takes as long as in a spawned worker.
To the memory it adds what each worker needs more, and once, for the parent, which has imported the driver
too, what a spawned worker needs more.
With `--pooler` it subtracts what a single worker saves. The single workers ran on one processor, together
with server and PgBouncer, so they save processor time, which a fleet saves on all processors at once. While
there is a processor for each worker, all of it is saved: workers then wait for the server, which starts one
session after another.

Each drawn fleet takes turns with its twin, the same fleet with psycopg2 and no pooler. The *multiple* is how
many times as long as its twin it takes, by the bill and as measured. The bill's time is also compared, scaled
by how much longer than on record its strategy's fleet of 8 workers takes this time.
"""


def varied(draws: Sequence[Predictions], known: Coefficients, measured: Provenance) -> Iterator[str]:
    """Fleets with another driver, or behind a pooler: the newest draw, the earlier ones in a sentence."""
    *earlier, newest = draws
    if newest.seed < VARIED_SEED:
        earlier = [*draws]
    yield "## Predictions with another driver or a pooler\n"
    yield VARIED
    if newest.seed == VARIED_SEED and newest.drawn:
        off = sorted(each.off("multiple") for each in newest.drawn)
        scaled = sum(abs(newest.scaled(each)) <= WITHIN for each in newest.drawn)
        yield (
            f"Of {len(newest.drawn)} fleets drawn at random and not fitted (seed {newest.seed}),"
            f" {newest.within('multiple')} took the bill's multiple of their twin's time within"
            f" {WITHIN:.0%}; it was off by {off[0]:+.0%} to {off[-1]:+.0%}. Scaled, the bill's time is right"
            f" within {WITHIN:.0%} for {scaled}, its memory for {newest.within('memory')}. The fleets on"
            f" record took {newest.level:.2f} times as long as before."
            f"{elsewhere(known, measured)}\n"
        )
        yield varied_table(newest)
    if earlier:
        counts = ", ".join(
            f"{each.within('ready')} of {len(each.drawn)} fleets (seed {each.seed})" for each in earlier
        )
        yield (
            "Earlier draws had no twins, and were known when the computation last changed; the bill's time is"
            f" within {WITHIN:.0%} for {counts}.\n"
        )


def elsewhere(known: Coefficients, measured: Provenance) -> str:
    """A sentence if fleets were not drawn on the machine whose fleets a bill is computed from."""
    if measured.machine == known.machine:
        return ""
    return f" The bill is that of another machine: {known.machine or 'unknown'}."


def varied_table(draw: Predictions) -> str:
    header = ["strategy", "workers", "with", "ready, ms", "twin, ms", "multiple", "predicted", "off"]
    header += ["bill, scaled", "off", "memory, MiB", "predicted", "off"]
    rows = [
        [
            *(str(each.at["strategy"]), f"{each.at['workers']:g}", around(each)),
            digits(each.measured["ready"] * 1e3),
            digits(each.measured["ready"] * 1e3 / each.measured["multiple"]),
            *(f"{figures['multiple']:.2f}" for figures in (each.measured, each.predicted)),
            f"{each.off('multiple'):+.0%}",
            digits(each.measured["ready"] * 1e3 * (1 + draw.scaled(each))),
            f"{draw.scaled(each):+.0%}",
            *(digits(figures["memory"] / MIB) for figures in (each.measured, each.predicted)),
            f"{each.off('memory'):+.0%}",
        ]
        for each in draw.drawn
    ]
    return markdown.table(header, rows, figures=3)


def around(each: Prediction) -> str:
    """Driver and pooler of a fleet; empty for the reference driver without one."""
    return ", ".join(
        [*([str(each.at["driver"])] if "driver" in each.at else []), *["PgBouncer"] * ("pooler" in each.at)]
    )


def table(fleets: Sequence[Prediction]) -> str:
    header = ["strategy", "workers", "with", "GiB", "away, ms"]
    header += ["ready, ms", "predicted", "off", "memory, MiB", "predicted", "off"]
    return markdown.table(header, list(map(cells, fleets)), figures=3)


def summary(found: Predictions) -> str:
    """How far the times of a session are off, and to which side."""
    off = [each.off("ready") for each in found.drawn]
    low = sum(each < 0 for each in off)
    level = f" The fleets on record took {found.level:.2f} times as long as before." if found.controls else ""
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
    return [
        str(each.at["strategy"]),
        f"{each.at['workers']:g}",
        TITLES[str(each.at["kind"])] if each.at["mib"] else "no data",
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
        f"{known}), the bill's time is right within {WITHIN:.0%} for {times}, its memory for {memory}."
    )
