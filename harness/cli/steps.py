"""`poolstart steps`: what happened over the releases, and what is noise."""

import json
import time
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from harness.history.change_point import ChangePoints


def steps(
    half: Annotated[
        bool, typer.Option("--half", help="Use every second sample: do the steps depend on how many?")
    ] = False,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm", help="Measure the neighbours of each again, in turns, and keep what it says."
        ),
    ] = False,
    pairs: Annotated[int, typer.Option(min=6, help="Of parents, for --confirm.")] = 10,
    minutes: Annotated[float, typer.Option(help="After these --confirm begins no comparison.")] = 60,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Those in doubt too, with the reason.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    results: Annotated[Path | None, typer.Option(help="A folder of asv's results.")] = None,
) -> None:
    """Name the real steps in the measured releases, and the smallest that could be seen."""
    # Most of a second, because of asv and scipy: only this command pays for it.
    from harness.history import detect, report, retest, series
    from harness.system.environment import ROOT

    all_series = series.load(results or ROOT / "results")
    if half:
        all_series = [one.halved() for one in all_series]
    change_points = detect.change_points(all_series, retest.load())
    if confirm:
        measure_again(change_points, pairs, minutes * 60)
        change_points = detect.change_points(all_series, retest.load())
    if as_json:
        print(json.dumps(plain(change_points), indent=2))
        return
    report.show(change_points, detect.MIN_RELEASES, candidates=candidates)


def plain(change_points: "ChangePoints") -> dict[str, Any]:
    return {
        "steps": [asdict(step) for step in change_points.steps],
        "candidates": [asdict(step) for step in change_points.candidates],
        "minimum_detectable": [asdict(minimum) for minimum in change_points.minimum_detectable],
    }


def measure_again(change_points: "ChangePoints", pairs: int, budget: float) -> None:
    """Measure in turns what the machine's own history says has changed, or may have; where it has none, what
    those of others say.

    First the steps, because pages list them, then the candidates; of either what was not yet measured again
    before what could not be decided.
    """
    from harness.console import terminal
    from harness.console.progress import progress
    from harness.history import retest
    from harness.lifecycles import metrics
    from harness.lifecycles import profile as profiles
    from harness.postgres import locate
    from harness.releases import interpreters, machine

    here = machine.name()
    until = time.monotonic() + budget
    with progress("starting") as report, locate.server() as server:
        all_of_them = [
            step
            for step in change_points.found
            if step.key.environment.endswith(server.identity) and step.unit in metrics.MIN_RELATIVE_CHANGE
        ]
        suspects = [step for step in all_of_them if step.key.machine == here] or all_of_them
        wanted = [
            [
                step.release_pair
                for step in suspects
                if (step.retest.outcome if step.retest else "") == outcome and step.real == real
            ]
            for real, outcome in product((True, False), ("", "undecided"))
        ]
        left = sum(
            retest.measure(
                some,
                interpreters.of_release,
                server,
                profiles.current(),
                machine=here,
                command="poolstart steps --confirm",
                pairs=pairs,
                budget=until - time.monotonic(),
                report=report,
                keep=retest.add,
            )
            for some in wanted
        )
    if left:
        terminal.print_text(
            terminal.errors(), f"The time is up: {left} comparisons are left, for another --confirm."
        )
