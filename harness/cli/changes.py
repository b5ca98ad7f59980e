"""`poolstart changes`: change points in the history of all releases, distinguished from noise."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import AsCsv, AsJson, AsMarkdown, chosen_format


def changes(
    half: Annotated[
        bool, typer.Option("--half", help="Use every second sample: do the changes depend on how many?")
    ] = False,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="List the uncertain ones too, with the reason.")
    ] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_markdown: AsMarkdown = False,
    results: Annotated[Path | None, typer.Option(help="A folder of asv's results.")] = None,
) -> None:
    """List the releases at which a figure changed, and the smallest change that would be detected.

    First the releases that changed the instructions of a spawned worker, which are counted exactly. Then a
    line for each release, then the figures that changed. --csv has the figures.
    """
    form = chosen_format(as_json, as_csv, as_markdown)
    # Most of a second, because of asv and scipy: only this command pays for it.
    from harness.history import detect, report, retest, series
    from harness.instructions import report as instructions
    from harness.instructions import table
    from harness.system.environment import ROOT

    all_series = series.load(results or ROOT / "results")
    if half:
        all_series = [one.halved() for one in all_series]
    change_points = detect.change_points(all_series, retest.load())
    counted = table.load()
    report.write(
        change_points,
        detect.MIN_RELEASES,
        form,
        candidates=candidates,
        first=(lambda: instructions.show(counted)) if counted else None,
        content={"instructions": instructions.as_json(counted) if counted else None},
    )
