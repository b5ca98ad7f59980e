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
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm", help="Measure the neighbours of each again, in turns, and keep what it says."
        ),
    ] = False,
    pairs: Annotated[int, typer.Option(min=6, help="Of blocks, for --confirm.")] = 10,
    minutes: Annotated[float, typer.Option(help="After these --confirm begins no comparison.")] = 60,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Those in doubt too, with the reason.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    results: Annotated[Path | None, typer.Option(help="A folder of asv's results.")] = None,
) -> None:
    """Name the real steps in the measured releases, and the smallest that could be seen.

    poolstart steps --candidates
    """
    # Most of a second, because of asv and scipy: only this command pays for it.
    from harness.outside import confirmed
    from harness.shown import steps as detect
    from harness.system.environment import ROOT

    series = detect.load(results or ROOT / "results")
    if half:
        series = [one.halved() for one in series]
    verdicts = detect.verdicts(series, confirmed.load())
    if confirm:
        measure_again(verdicts, pairs, minutes * 60)
        verdicts = detect.verdicts(series, confirmed.load())
    if as_json:
        print(json.dumps(plain(verdicts), indent=2))
        return
    shown = [("Real steps", verdicts.steps)]
    if candidates:
        shown.append(("Candidates", verdicts.candidates))
    for title, found in shown:
        if not found:
            console.print(f"{title}: none")
            continue
        for place, some in by_place(found).items():
            console.print(f"\n[bold]{title}[/]: {place}", soft_wrap=True)
            console.print(table(some))
    if not candidates and verdicts.candidates:
        console.print(f"{len(verdicts.candidates)} candidates more: --candidates shows them.\n")
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


def table(found: "list[Step]") -> Table:
    made = Table(box=box.SIMPLE_HEAD, padding=(0, 1), show_edge=False)
    for column in ("release", "figure", "cell"):
        made.add_column(column, overflow="fold")
    for column in ("before", "after", "change"):
        made.add_column(column, justify="right", no_wrap=True)
    if any(step.doubt or step.again for step in found):
        made.add_column("doubt; measured again")
    for step in found:
        factor, unit = UNITS.get(step.unit, (1, step.unit))
        made.add_row(
            step.release,
            step.key.metric,
            step.key.cell,
            f"{step.before * factor:.4g}",
            f"{step.after * factor:.4g} {unit}",
            f"{step.ratio - 1:+.1%}",
            *([told] if (told := "; ".join(filter(None, (step.doubt, step.again)))) else []),
        )
    return made


def measure_again(verdicts: "Verdicts", pairs: int, budget: float) -> None:
    """Measure in turns what the machine's own history says has changed, or may have, and is not on record."""
    from harness.outside import confirmed
    from harness.outside import profile as profiles
    from harness.postgres import locate
    from harness.releases import history, machine

    here = machine.name(None)
    record = confirmed.load()
    known = {one.figure for one in record if one.machine == here}
    with console.status("starting") as status, locate.server() as server:

        def keep(found: list[confirmed.Confirmation]) -> None:
            record.extend(found)
            confirmed.save(record)

        left = confirmed.again(
            [
                step.between
                for step in verdicts.found
                if step.key.machine == here
                and step.key.environment.endswith(server.identity)
                and step.unit in UNITS
                and step.between not in known
            ],
            history.interpreter,
            server,
            profiles.current(),
            machine=here,
            command="poolstart steps --confirm",
            pairs=pairs,
            budget=budget,
            report=status.update,
            keep=keep,
        )
    if left:
        console.print(f"The time is up: {left} comparisons are left, for another --confirm.")


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
