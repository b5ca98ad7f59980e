"""Verdicts in the terminal: the table as it fills and when it is complete, stories, and rows for programs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from string import ascii_letters
from typing import Any

from rich.console import Console, Group, RenderableType
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
from rich.text import Text

from harness.console import terminal
from harness.hazards import expected as record
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.hazards.table import Tally
from harness.records.provenance import Provenance

STYLES = {
    Verdict.AFFECTED: "red",
    Verdict.SURVIVES: "green",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.NOT_TRIED: "dim",
    Verdict.NO_RESULT: "yellow",
}

SYMBOLS = {
    Verdict.AFFECTED: "X",
    Verdict.SURVIVES: ".",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.NOT_TRIED: "~",
    Verdict.NO_RESULT: "?",
}
DISAGREE = "!"
"""Symbols of verdicts, and of trials that disagree, in tables too narrow for words."""

COLUMNS = (
    "sqlalchemy", "server", "hazard", "severity", "strategy", "verdict", "expected", "trials", "affected",
    "survives", "not_applicable", "not_tried", "no_result", "reason",
)  # fmt: skip
"""Of `--csv`, a row a hazard and strategy: from `trials` to `no_result` they are counts of trials."""


class VerdictView:
    """The table of verdicts while trials run, and when they are done."""

    def __init__(self, hazards: Sequence[Hazard], strategies: Sequence[str], repeat: int) -> None:
        self.hazards = hazards
        self.strategies = strategies
        self.repeat = repeat
        self.tally = Tally()
        self._total = len(hazards) * len(strategies) * repeat
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
        )
        self._task = self._progress.add_task("trials", total=self._total)
        self._console = terminal.errors()

    def add(self, outcome: Outcome) -> None:
        """Count an outcome; where standard error is no terminal, print it in a line."""
        self.tally.add(outcome)
        self._progress.advance(self._task)
        if not self._console.is_terminal:
            done = sum(counts.total() for counts in self.tally.counts.values())
            what = f"{outcome.hazard} under {outcome.strategy}: {outcome.verdict}"
            terminal.print_text(self._console, f"trial {done} of {self._total}: {what}")

    def rendered(self) -> RenderableType:
        return Group(*self.tables(self._console.width), Text(""), self._progress)

    def tables(self, width: int) -> list[Table]:
        """The table in `width` columns: in words if they fit, else in letters that `legend` explains."""
        if self._words_fit(width):
            header, rows = self._words()
            return terminal.tables(header, rows, width, left=len(header), gap=1)
        return self._letters(width)

    def _words_fit(self, width: int) -> bool:
        return len(terminal.bands(*self._words(), width, gap=1)) == 1

    def legend(self, width: int) -> list[tuple[str, str]]:
        """The meaning of each letter in the table; empty where the table is in words."""
        if self._words_fit(width):
            return []
        shown = {verdict for counts in self.tally.counts.values() for verdict in counts}
        return [
            *((symbol, str(verdict)) for verdict, symbol in SYMBOLS.items() if verdict in shown),
            *([(DISAGREE, "trials disagree")] if self.repeat > 1 else []),
            *zip(ascii_letters, self.strategies, strict=False),
        ]

    def _words(self) -> tuple[list[str], list[list[terminal.Cell]]]:
        header = ["hazard", *(name.replace("_", "_\n") for name in self.strategies)]
        rows: list[list[terminal.Cell]] = [
            [hazard.id, *(self._word(self.tally.of(hazard.id, name)) for name in self.strategies)]
            for hazard in self.hazards
        ]
        return header, rows

    def _word(self, counts: Counter[Verdict]) -> Text:
        several = counts.total() > 1
        return Text("\n").join(
            Text(f"{verdict} {count}" if several else str(verdict), STYLES[verdict])
            for verdict, count in counts.items()
        )

    def _letters(self, width: int) -> list[Table]:
        header = ["hazard", *(letter for letter, _ in zip(ascii_letters, self.strategies, strict=False))]
        rows: list[list[terminal.Cell]] = [
            [hazard.id, *(self._letter(self.tally.of(hazard.id, name)) for name in self.strategies)]
            for hazard in self.hazards
        ]
        return terminal.tables(header, rows, width, gap=1)

    def _letter(self, counts: Counter[Verdict]) -> Text:
        if len(counts) > 1:
            return Text(DISAGREE, "bold yellow")
        return Text("").join(Text(SYMBOLS[verdict], STYLES[verdict]) for verdict in counts)


@contextmanager
def live(hazards: Sequence[Hazard], strategies: Sequence[str], repeat: int) -> Iterator[VerdictView]:
    """Show the table on standard error while it fills: live in a terminal, else a line for each trial."""
    view = VerdictView(hazards, strategies, repeat)
    with Live(get_renderable=view.rendered, console=terminal.errors(), refresh_per_second=4, transient=True):
        yield view


def show(
    view: VerdictView,
    outcomes: Sequence[Outcome],
    provenance: Provenance,
    surprises: Sequence[str],
    form: str = "table",
    *,
    stories: bool = False,
) -> None:
    """Print the outcomes: as a table, with the stories if wanted, or as CSV or JSON."""
    if form == "csv":
        terminal.print_csv(COLUMNS, records(view, provenance))
    elif form == "json":
        terminal.print_json(
            {
                "provenance": asdict(provenance),
                "verdicts": list(records(view, provenance)),
                "outcomes": [asdict(outcome) for outcome in outcomes],
                "surprises": list(surprises),
            }
        )
    else:
        console = terminal.output()
        console.print(Text(f"SQLAlchemy {provenance.release}, {provenance.server}", style="bold"))
        for table in view.tables(console.width):
            console.print(table)
            console.print()
        terminal.print_pairs(console, view.legend(console.width))
        if stories:
            for hazard in view.hazards:
                show_story(console, hazard, outcomes[: len(view.hazards) * len(view.strategies)])
        for line in [*view.tally.notes(), *surprises]:
            terminal.print_text(console, line)


def records(view: VerdictView, provenance: Provenance) -> Iterator[dict[str, Any]]:
    """A row a hazard and strategy, with the fields of `COLUMNS`; `verdict` is empty if trials disagree."""
    expected = record.expected(provenance.release)
    for hazard in view.hazards:
        for name in view.strategies:
            counts = view.tally.of(hazard.id, name)
            yield {
                "sqlalchemy": provenance.release,
                "server": provenance.server,
                "hazard": hazard.id,
                "severity": str(hazard.severity),
                "strategy": name,
                "verdict": str(next(iter(counts))) if len(counts) == 1 else "",
                "expected": str(expected.get((hazard.id, name), "")),
                "trials": counts.total(),
                "affected": counts[Verdict.AFFECTED],
                "survives": counts[Verdict.SURVIVES],
                "not_applicable": counts[Verdict.NOT_APPLICABLE],
                "not_tried": counts[Verdict.NOT_TRIED],
                "no_result": counts[Verdict.NO_RESULT],
                "reason": view.tally.reasons.get((hazard.id, name), ""),
            }


def show_story(console: Console, hazard: Hazard, outcomes: Sequence[Outcome]) -> None:
    """Print what a hazard is, and its story under each strategy."""
    console.print()
    console.print(Text.assemble((hazard.title, "bold"), f" ({hazard.id}: {hazard.severity})"))
    console.print()
    for text in (
        hazard.description,
        f"What users report: {hazard.symptom}",
        f"Affected when: {hazard.affected_when}",
    ):
        terminal.print_text(console, text)
    for outcome in outcomes:
        if outcome.hazard != hazard.id:
            continue
        console.print()
        console.print(
            Text.assemble(
                (outcome.strategy, "bold"),
                " ",
                (str(outcome.verdict), STYLES[outcome.verdict]),
                f": {outcome.reason}" if outcome.reason else "",
            )
        )
        terminal.print_pairs(console, [(f"{event.who:>8}", event.what) for event in outcome.story])
        for figure in hazard.figures:
            if figure.id in outcome.readings:
                console.print(f"  {figure.title}: {figure.format(outcome.readings[figure.id])}")
    console.print()
    terminal.print_text(console, f"Instead: {hazard.avoidance}")
    for link in hazard.links:
        console.print(f"  {link}", soft_wrap=True)
