"""The generated page `docs/curves.md`, and the laws that README.md shows."""

from collections.abc import Iterator, Mapping

from harness.console import markdown
from harness.console.numbers import digits, task_length
from harness.curves.bill import Coefficients, at
from harness.curves.curve import MARK, CurveRecord
from harness.curves.outcomes import NAME, VARIED, draws
from harness.curves.sections import distance, predictions, sizes, stampede, work
from harness.curves.sections.figure import svg
from harness.system.memory import MIB

INTRODUCTION = """\
# Curves: where the advice changes

Most figures elsewhere are of one worker next to its server. This page shows what a start costs at a distance,
with a larger parent, with more work and with many workers. The points of a curve are measured alternately,
each time in a new parent.
`poolstart bill --workers 32 --parent-memory 4GiB --distance 5ms --task 200ms` computes the cost of a fleet,
its *bill*, from these curves and from [the fleets](fleets.md), and with `--driver asyncpg` or `--pooler` also
from single workers ([drivers](drivers.md), [poolers](poolers.md)). `poolstart record curves --only distance`
measures one of the curves here; with `--at distance=0.02,0.1` it measures points of your own, which are shown
apart.
"""


def render(curves: Mapping[str, CurveRecord], known: Coefficients | None) -> str:
    """The page `docs/curves.md`, a section for each curve on record.

    Predictions are compared with `known`, what a bill is computed from.
    """
    parts = [INTRODUCTION]
    if known:
        parts += [_anchor("fleets"), _fleets(known)]
    for name, section in SECTIONS.items():
        if name in curves:
            parts += [_anchor(name), *section.section(curves[name]), *_measured(curves[name])]
    if known and known.data and (found := draws(curves, known, NAME)):
        parts += [_anchor(NAME), *predictions.section(list(found.values()))]
        parts += _measured(curves[list(found)[-1]])
    if known and (found := draws(curves, known, VARIED)):
        newest = curves[list(found)[-1]]
        parts += [*predictions.varied(list(found.values()), known, newest.provenance), *_measured(newest)]
    for name, record in curves.items():
        if MARK in name:
            parts += [*_own(name, record), *_measured(record)]
    return "\n".join(parts)


def _own(name: str, record: CurveRecord) -> Iterator[str]:
    """A table of what was measured at points of the user's own."""
    yield f"## {name.capitalize()}\n\nMedians, in seconds, bytes or numbers.\n"
    parameters = list(dict.fromkeys(parameter for point in record.points for parameter in point.at))
    figures = list(dict.fromkeys(figure for point in record.points for figure in point.values))
    rows = [
        [
            *(str(point.at.get(parameter, "")) for parameter in parameters),
            *(f"{point.median(figure):.4g}" if point.values.get(figure) else "" for figure in figures),
        ]
        for point in record.points
    ]
    yield markdown.table([*parameters, *figures], rows, figures=len(parameters))


def _fleets(known: Coefficients) -> str:
    times = {each.strategy: task_length(at(each.ready, FLEET)) for each in known.strategies}
    parts = [f"{times[name]} under `{name}`" for name in work.SHOWN if name in times]
    return (
        f"## Fleets\n\nThe last of {FLEET} workers that start together has its row after {', '.join(parts)}."
        " [All figures](fleets.md).\n\n![Time until all workers have a row](curves-fleets.svg)\n"
    )


def fleets_drawing(curves: Mapping[str, CurveRecord], known: Coefficients | None) -> str | None:
    """The figure of fleets, SVG; None without any on record."""
    if known is None:
        return None
    lines = {each.strategy: [(n, seconds * 1e3) for n, seconds in each.ready] for each in known.strategies}
    return svg("Time until all workers have a row, by their number", "workers", "ms", lines)


def _anchor(name: str) -> str:
    return f'<a id="{name}"></a>\n'


def _measured(record: CurveRecord) -> list[str]:
    reasons = [f"Not measured: {reason}.\n" for reason in record.left_out]
    return [*reasons, f"Measured {record.provenance}{record.provenance.by}.\n"]


def laws(curves: Mapping[str, CurveRecord], known: Coefficients | None) -> str:
    """A sentence for each law that follows from the curves."""
    lines = [
        f"{sentence} ([more](docs/curves.md#{name}))."
        for name, section in SECTIONS.items()
        if name in curves
        for sentence in section.sentences(curves[name])
    ]
    if known:
        lines.append(f"{_memory(known)} ([more](docs/fleets.md)).")
        if known.data and (found := draws(curves, known, NAME)):
            newest = list(found.values())[-1]
            lines.append(f"{predictions.law(newest)[:-1]} ([more](docs/curves.md#predictions)).")
    return "From the measured curves and fleets:\n\n" + "".join(f"- {line}\n" for line in lines)


def drawing(name: str, curves: Mapping[str, CurveRecord]) -> str | None:
    """The figure of a curve, SVG; None if it is not on record."""
    if name not in curves:
        return None
    drawn: str = SECTIONS[name].drawing(curves[name])
    return drawn


def _memory(known: Coefficients) -> str:
    costs = {each.strategy: digits(at(each.collected, FLEET) / MIB) for each in known.strategies}
    parts = [f"{costs[name]} MiB under `{name}`" for name in work.SHOWN if name in costs]
    return (
        f"Memory: {FLEET} workers and their parent take {', '.join(parts)}, after a full garbage collection"
        " in each"
    )


FLEET = 32
"""The fleet whose memory README.md shows, and the page its time."""


SECTIONS = {"distance": distance, "work": work, "sizes": sizes, "stampede": stampede}
