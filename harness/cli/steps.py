"""`poolstart steps`: what happened over the releases, and what is noise."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from harness.system.memory import MIB

if TYPE_CHECKING:
    from harness.shown.steps import Step, Verdicts

console = Console(highlight=False)

UNITS = {"seconds": (1e3, "ms"), "bytes": (1 / MIB, "MiB")}


def steps(
    half: Annotated[
        bool, typer.Option("--half", help="Use every second sample: do the verdicts depend on how many?")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    results: Annotated[Path | None, typer.Option(help="A folder of asv's results.")] = None,
) -> None:
    """Name the real steps in the measured releases, the candidates, and the smallest that could be seen."""
    # Most of a second, because of asv and scipy: only this command pays for it.
    from harness.shown import steps as detect
    from harness.system.environment import ROOT

    series = detect.load(results or ROOT / "results")
    if half:
        series = [one.halved() for one in series]
    verdicts = detect.verdicts(series)
    if as_json:
        print(json.dumps(plain(verdicts), indent=2))
        return
    for title, found in (("Real steps", verdicts.steps), ("Candidates", verdicts.candidates)):
        if not found:
            console.print(f"{title}: none")
            continue
        for place, some in by_place(found).items():
            console.print(table(f"{title}: {place}", some))
            for step in some:
                if step.doubt:
                    console.print(f"{step.release} {step.key.metric} ({step.key.cell}): {step.doubt}")
    if verdicts.floors:
        console.print(floors(verdicts))
    else:
        console.print(
            f"No series has {detect.LEAST_RELEASES} releases, without which it cannot tell its noise: "
            "measure them by `poolstart history`"
        )


def by_place(found: "list[Step]") -> "dict[str, list[Step]]":
    """By machine and environment: series of different ones are never mixed."""
    places: dict[str, list[Step]] = {}
    for step in found:
        places.setdefault(f"{step.key.machine}, {step.key.environment}", []).append(step)
    return places


def plain(verdicts: "Verdicts") -> dict[str, Any]:
    return {
        "steps": [asdict(step) for step in verdicts.steps],
        "candidates": [asdict(step) for step in verdicts.candidates],
        "floors": [asdict(floor) for floor in verdicts.floors],
    }


def table(title: str, found: "list[Step]") -> Table:
    made = Table(title=title, box=box.SIMPLE_HEAD)
    for column in ("release", "figure", "cell"):
        made.add_column(column)
    for column in ("before", "after", "change", "99 % interval"):
        made.add_column(column, justify="right")
    for step in found:
        factor, unit = UNITS.get(step.unit, (1, step.unit))
        made.add_row(
            step.release,
            step.key.metric,
            step.key.cell,
            f"{step.before * factor:.4g}",
            f"{step.after * factor:.4g} {unit}",
            f"{step.ratio - 1:+.1%}",
            f"{step.low - 1:+.1%} to {step.high - 1:+.1%}",
        )
    return made


def floors(verdicts: "Verdicts") -> Table:
    """The smallest change that would be found: over the cells of each metric, the least and the most."""
    made = Table(title="The smallest change that would be found", box=box.SIMPLE_HEAD)
    for column in ("figure", "in the steadiest cell", "in the least steady cell"):
        made.add_column(column)
    by_metric: dict[str, list[tuple[float, str]]] = {}
    for floor in verdicts.floors:
        by_metric.setdefault(floor.key.metric, []).append((floor.change, floor.key.cell))
    for metric, cells in sorted(by_metric.items()):
        (low, steady), (high, unsteady) = min(cells), max(cells)
        made.add_row(metric, f"{low:.1%} {steady}", f"{high:.1%} {unsteady}")
    return made
