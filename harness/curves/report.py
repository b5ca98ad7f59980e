"""The generated page `docs/curves.md`, and the laws that README.md shows."""

from collections.abc import Callable, Mapping

from harness.console.numbers import digits
from harness.curves.bill import at, coefficients
from harness.curves.curve import CurveRecord
from harness.curves.predictions import NAME, Predictions, outcomes
from harness.curves.sections import distance, predictions, sizes, stampede, work
from harness.fleets.figures import FleetsTable
from harness.system.memory import MIB

INTRODUCTION = """\
# Curves: where the advice changes

One worker next to its server is one corner of the space that people work in. Here is what its start costs
elsewhere, each point measured in turn with all others, each time in a new parent.
`poolstart bill --workers 32 --parent-memory 4GiB --distance 5ms --task 200ms` computes a fleet from these
curves and from [the fleets](fleets.md); with `--driver asyncpg` and `--pooler` it takes the ratios of single
workers from [drivers](drivers.md) and [poolers](poolers.md). `poolstart record curves --only distance`
measures one of the curves here.
"""


def render(curves: Mapping[str, CurveRecord], fleets_on_record: FleetsTable | None) -> str:
    """The page `docs/curves.md`, a section for each curve on record."""
    parts = [INTRODUCTION]
    draws = _draws(curves, fleets_on_record)
    for name, record in ordered(curves):
        if name in SECTIONS:
            parts += SECTIONS[name].section(record)
        elif name in draws:
            if name == next(iter(draws)):
                parts += predictions.section(list(draws.values()))
            parts += predictions.draw(draws[name])
        parts += [f"Not measured: {reason}.\n" for reason in record.left_out]
        parts.append(f"Measured {record.provenance}{record.provenance.by}.\n")
    return "\n".join(parts)


def laws(curves: Mapping[str, CurveRecord], fleets_on_record: FleetsTable | None) -> str:
    """A line for each curve: what follows from it."""
    lines = [SECTIONS[name].law(record) for name, record in ordered(curves) if name in SECTIONS]
    if fleets_on_record:
        lines.append(_fleets_law(fleets_on_record))
    if draws := _draws(curves, fleets_on_record):
        lines.append(predictions.law(list(draws.values())))
    found_in = "From [curves](docs/curves.md) and [fleets](docs/fleets.md) on record:"
    return f"{found_in}\n\n" + "".join(f"- {line}\n" for line in lines)


def ordered(curves: Mapping[str, CurveRecord]) -> list[tuple[str, CurveRecord]]:
    """The curves on record in the order of the page."""
    draws = sorted(name for name in curves if name.startswith(NAME))
    return [(name, curves[name]) for name in (*SECTIONS, *draws) if name in curves]


def drawing(name: str, curves: Mapping[str, CurveRecord]) -> str | None:
    """The figure of a curve, SVG; None if it is not on record."""
    return DRAWINGS[name](curves[name]) if name in curves else None


def _draws(curves: Mapping[str, CurveRecord], fleets_on_record: FleetsTable | None) -> dict[str, Predictions]:
    """The predictions on record, by curve."""
    if "sizes" not in curves or fleets_on_record is None:
        return {}
    known = coefficients(fleets_on_record, curves)
    return {name: outcomes(name, record, known) for name, record in ordered(curves) if name.startswith(NAME)}


def _fleets_law(table: FleetsTable) -> str:
    parts = [
        f"{digits(at(costs.memory, FLEET) / MIB)} MiB under `{costs.strategy}`"
        f" ({digits(at(costs.collected, FLEET) / MIB)} after a full collection in each)"
        for costs in coefficients(table, {}).strategies
    ]
    return f"Fleets: {FLEET} workers and their parent take {', '.join(parts)}."


FLEET = 32
"""The fleet whose memory README.md shows."""


SECTIONS = {"distance": distance, "work": work, "sizes": sizes, "stampede": stampede}

DRAWINGS: dict[str, Callable[[CurveRecord], str]] = {
    "distance": distance.drawing,
    "work": work.drawing,
    "sizes": sizes.drawing,
}
