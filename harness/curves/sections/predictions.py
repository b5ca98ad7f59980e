"""The section about predictions."""

from collections.abc import Iterator, Sequence

from harness.console import markdown
from harness.console.numbers import digits
from harness.curves.predictions import WITHIN, Prediction, within
from harness.curves.sections.sizes import KIND_TITLES


def section(found: Sequence[Prediction]) -> Iterator[str]:
    yield "## Predictions\n"
    yield law(found) + "\n"
    header = ["strategy", "workers", "data", "GiB", "away, ms"]
    header += ["ready, ms", "predicted", "off", "memory, MiB", "predicted", "off"]
    rows = []
    for each in found:
        figures_ = [(name, factor) for name, factor in (("ready", 1e3), ("memory", 2**-20))]
        cells = [
            text
            for name, factor in figures_
            for text in (
                digits(each.measured[name] * factor),
                digits(each.predicted[name] * factor),
                f"{each.off(name):+.0%}",
            )
        ]
        rows.append(
            [
                str(each.at["strategy"]),
                f"{each.at['workers']:g}",
                KIND_TITLES[str(each.at["kind"])] if each.at["mib"] else "none",
                digits(float(each.at["mib"]) / 1024),
                digits(float(each.at["distance"]) * 1e3),
                *cells,
            ]
        )
    yield markdown.table(header, rows, figures=3)


def law(found: Sequence[Prediction]) -> str:
    ready, memory, collected = (within(found, name) for name in ("ready", "memory", "collected"))
    return (
        f"Predictions: of {len(found)} fleets that were drawn at random and not fitted, the bill is within"
        f" {WITHIN:.0%} of the measured time for {ready}, of the memory for {memory}, and of the memory"
        f" after a full collection for {collected}."
    )
