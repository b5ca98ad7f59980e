"""`poolstart hazards`: the table of verdicts, and the story of each hazard."""

import os
import sys
from collections import Counter
from typing import Annotated

import sqlalchemy
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from harness import strategies
from harness.hazards import catalogue
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.outside import record
from harness.outside.table import measure
from harness.postgres import locate
from harness.shown import hazards as page
from harness.system.custody import Custody
from harness.system.errors import PoolstartError

STYLES = {
    Verdict.STRUCK: "red",
    Verdict.SURVIVES: "green",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.NO_RESULT: "yellow",
}

BUSY = "while True: pass"

SIDE_BY_SIDE = len(strategies.IDS)
"""Strategies of one table: more go into further tables, below each other."""


def hazards(
    name: Annotated[str | None, typer.Argument(help="One hazard, to be told its story.")] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this strategy; may be given several times. `further` are those that are measured by"
            " name only, `all` are those and the default ones."
        ),
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Trials of each verdict; all must agree.")] = 1,
    load: Annotated[bool, typer.Option("--load", help="Keep every core but one busy meanwhile.")] = False,
    save: Annotated[
        bool,
        typer.Option(
            "--record",
            help="Make the measured table the expected one, and write the page; with --repeat,"
            " keep that it came out the same so many times.",
        ),
    ] = False,
    write_page: Annotated[
        bool, typer.Option("--page", help="Write docs/hazards.md from what is recorded; measures nothing.")
    ] = False,
) -> None:
    """Measure what goes wrong under each strategy; exit status 1 when a verdict is not the expected one."""
    if write_page:
        page.write()
        return
    chosen = [catalogue.load(name)] if name else list(catalogue.load_all())
    names = list(strategies.named(strategy or ["default"]))
    if save and (name or not record.whole(names)):
        raise PoolstartError(
            "--record keeps a whole table", "give it without NAME, and with --strategy further, all, or none"
        )
    if save and repeat > 1:
        record.of()  # what cannot be recorded is said now, not after hours of trials
    busy = (os.cpu_count() or 1) - 1 if load else 0
    console = Console()
    with Custody() as custody, locate.server() as server:
        for _ in range(busy):
            custody.start([sys.executable, "-c", BUSY])
        view = View(chosen, names, repeat)
        with Live(get_renderable=view.rendered, console=console, refresh_per_second=4):
            outcomes = measure(server, chosen, names, view.seen, repeat)
        if name:
            tell(console, chosen[0], outcomes[: len(names)])
        setting = record.Setting.here(server)
    if save and repeat == 1:
        record.save(setting, outcomes)
    surprises = view.surprises()
    for line in view.notes() + surprises:
        console.print(line, highlight=False, soft_wrap=True)
    if save and repeat > 1:
        record.save_repeated(setting, outcomes, repeat, busy)
    if save:
        page.write()
    raise typer.Exit(1 if surprises else 0)


class View:
    """The table as it fills."""

    def __init__(self, hazards: list[Hazard], names: list[str], repeat: int) -> None:
        self._hazards = hazards
        self._names = names
        self._counts: dict[tuple[str, str], Counter[Verdict]] = {}
        self._reasons: dict[tuple[str, str], str] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        self._task = self._progress.add_task("trials", total=len(hazards) * len(names) * repeat)

    def seen(self, outcome: Outcome) -> None:
        cell = outcome.hazard, outcome.strategy
        self._counts.setdefault(cell, Counter())[outcome.verdict] += 1
        self._reasons[cell] = outcome.reason or self._reasons.get(cell, "")
        self._progress.advance(self._task)

    def rendered(self) -> Group:
        some = [
            self._names[first : first + SIDE_BY_SIDE] for first in range(0, len(self._names), SIDE_BY_SIDE)
        ]
        return Group(*map(self._table, some), self._progress, "")

    def _table(self, names: list[str]) -> Table:
        table = Table(
            title=f"SQLAlchemy {sqlalchemy.__version__}", box=SIMPLE_HEAD, padding=0, show_edge=False
        )
        table.add_column("hazard", no_wrap=True)
        for name in names:
            table.add_column(name, overflow="fold")
        for hazard in self._hazards:
            table.add_row(hazard.id, *(self._cell(hazard.id, name) for name in names))
        return table

    def _cell(self, hazard: str, name: str) -> str:
        counts = self._counts.get((hazard, name), Counter())
        several = counts.total() > 1
        return ", ".join(
            f"[{STYLES[verdict]}]{verdict}{f' {count}' if several else ''}[/]"
            for verdict, count in counts.items()
        )

    def notes(self) -> list[str]:
        """Why a hazard was not applicable, once for each reason."""
        told: dict[str, list[str]] = {}
        for (hazard, name), counts in self._counts.items():
            if Verdict.NOT_APPLICABLE in counts:
                told.setdefault(self._reasons[hazard, name], []).append(f"{hazard} under {name}")
        return [f"n/a: {reason} ({', '.join(cells)})" for reason, cells in told.items()]

    def surprises(self) -> list[str]:
        """One line for every verdict that is not the expected one, or not always the same."""
        lines = []
        expected = record.expected()
        for (hazard, name), counts in self._counts.items():
            got = " and ".join(
                f"{verdict} ({count} of {counts.total()})" for verdict, count in counts.items()
            )
            wanted = expected.get((hazard, name), "not recorded: add it with --record")
            # Not applicable is declared, not measured: `notes` tells why.
            if list(counts) not in ([wanted], [Verdict.NOT_APPLICABLE]):
                reason = self._reasons[hazard, name]
                lines.append(f"{hazard} under {name}: {got}, expected {wanted}{reason and f'; {reason}'}")
        return lines


def tell(console: Console, hazard: Hazard, outcomes: list[Outcome]) -> None:
    """The story of a hazard, once for each strategy."""
    console.print(f"\n[bold]{hazard.title}[/bold] ({hazard.id})\n\n{hazard.description}\n")
    console.print(
        f"What users report: {hazard.symptom}\nStruck when: {hazard.struck_when}\n", highlight=False
    )
    for outcome in outcomes:
        reason = f": {outcome.reason}" if outcome.reason else ""
        console.print(
            f"[bold]{outcome.strategy}[/bold] [{STYLES[outcome.verdict]}]{outcome.verdict}[/]{reason}"
        )
        for event in outcome.story:
            console.print(f"  [cyan]{event.who:>6}[/cyan]  {event.what}", highlight=False)
        for figure in hazard.figures:
            if figure.id in outcome.readings:
                measured = page.shown(figure, outcome.readings[figure.id])
                console.print(f"  {figure.title}: {measured}", highlight=False)
        console.print()
    console.print(f"Instead: {hazard.avoidance}", highlight=False)
    for link in hazard.links:
        console.print(f"  {link}", soft_wrap=True)
