"""Verdicts in the terminal: the table, stories, and rows for other programs."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.text import Text

from harness import strategies
from harness.console import output, terminal
from harness.console.progress import Pace
from harness.drivers import Driver
from harness.hazards import catalogue, suite
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


class VerdictView:
    """The table of verdicts, which is filled while trials run."""

    def __init__(self, hazards: Sequence[Hazard], strategies: Sequence[str]) -> None:
        self.hazards = hazards
        self.strategies = strategies
        self.tally = Tally()

    def counting(self, report: Callable[[str], None], repeat: int) -> Callable[[Outcome], None]:
        """A function that counts an outcome, and reports it with the time that is left."""
        trials, pace = len(self.hazards) * len(self.strategies) * repeat, Pace()

        def count(outcome: Outcome) -> None:
            self.tally.add(outcome)
            pace.step()
            done = sum(counts.total() for counts in self.tally.counts.values())
            left = f", {pace.left(trials - done)} left" if done < trials else ""
            what = f"{outcome.hazard} under {outcome.strategy}: {outcome.verdict}"
            report(f"trial {done} of {trials}: {what}{left}")

        return count

    def words(self) -> tuple[list[str], list[list[terminal.Cell]]]:
        """The titles and rows of the table."""
        header = ["hazard", *(strategies.label(name).replace("_", "_\n") for name in self.strategies)]
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


def write(
    view: VerdictView,
    outcomes: Sequence[Outcome],
    provenance: Provenance,
    surprises: Sequence[str],
    form: str = "table",
    *,
    fixes: Mapping[str, tuple[str, str]] | None = None,
    server: str = "",
) -> None:
    """Print the outcomes as `table`, `json`, `csv` or `markdown`.

    Hazards in `fixes` are shown with their story, and with the advice and code that it holds. `server` is the
    server's title.
    """
    verdicts = list(records(view, provenance))
    content = {
        "provenance": asdict(provenance),
        "verdicts": verdicts,
        "outcomes": [asdict(outcome) for outcome in outcomes],
        "surprises": list(surprises),
    }

    def show() -> None:
        console = terminal.output()
        where = f"{provenance.driver}, {server or provenance.server}"
        terminal.print_heading(console, f"SQLAlchemy {provenance.release}, {where}")
        header, rows = view.words()
        if isinstance(console, terminal.MarkdownConsole):
            header = [title.replace("\n", "") for title in header]
        terminal.print_table(console, header, rows, left=len(header), gap=1)
        for hazard in view.hazards:
            if fix := (fixes or {}).get(hazard.id):
                show_story(console, hazard, fix, outcomes[: len(view.hazards) * len(view.strategies)])
        for line in [*view.tally.notes(), *surprises]:
            terminal.print_text(console, line)

    output.write(form, verdicts, show, content)


def write_list(form: str, driver: Driver) -> None:
    """Print the hazards that are tried with a driver, with its newest verdicts on record, in this format."""
    expected = record.expected(driver=driver.name)
    rows = [
        {
            "hazard": hazard.id,
            "severity": str(hazard.severity),
            "title": hazard.title,
            "affected": sum(expected.get((hazard.id, name)) is Verdict.AFFECTED for name in strategies.IDS),
            "condition": hazard.condition.label if hazard.condition else "",
        }
        for hazard in catalogue.tried_with(driver)
    ]

    def show() -> None:
        console = terminal.output()
        cells = [[str(value) for value in row.values()] for row in rows]
        header = ("hazard", "severity", "what happens", "affects", "cannot happen if")
        terminal.print_table(console, header, cells, left=len(header))
        terminal.print_text(
            console,
            f"Affects: of {len(strategies.IDS)} strategies, with {driver.title}. `poolstart hazards NAME`"
            " shows the fix and what happens step by step.",
        )
        if earlier := earlier_trials(driver):
            terminal.print_text(
                console,
                f"Tried before their trials were changed: {', '.join(earlier)}."
                " `poolstart record hazards` tries them again.",
            )

    output.write(form, rows, show)


def earlier_trials(driver: Driver) -> list[str]:
    """The hazards whose newest verdicts with a driver are of trials that run other code now."""
    tables = record.load(sys.version, driver.name) or record.load(driver=driver.name)
    newest = next(iter(tables.values()), None)
    return suite.changed(newest.code) if newest else []


def records(view: VerdictView, provenance: Provenance) -> Iterator[dict[str, Any]]:
    """A row a hazard and strategy; `verdict` is empty if trials disagree, and numbers are of trials."""
    driver = record.driver_of(provenance)
    expected = record.expected(provenance.release, driver=driver)
    for hazard in view.hazards:
        for name in view.strategies:
            counts = view.tally.of(hazard.id, name)
            yield {
                "sqlalchemy": provenance.release,
                "driver": driver,
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


def show_story(console: Console, hazard: Hazard, fix: tuple[str, str], outcomes: Sequence[Outcome]) -> None:
    """Print a hazard's description, its fix with code, and its story under each strategy."""
    console.print()
    terminal.print_heading(console, f"{hazard.title} ({hazard.id}: {hazard.severity})")
    console.print()
    sentence, code = fix
    condition = hazard.condition.sentence if hazard.condition else ""
    for text in (
        hazard.description,
        f"What users report: {hazard.symptom}",
        f"Instead: {hazard.avoidance}",
        *([f"Cannot happen if: {condition}"] if condition and condition not in sentence else []),
        sentence,
    ):
        terminal.print_text(console, text)
    if code:
        terminal.print_code(console, code)
    for link in hazard.links:
        terminal.print_text(console, f"  {link}")
    console.print()
    terminal.print_text(console, f"Affected when: {hazard.affected_when}")
    for outcome in outcomes:
        if outcome.hazard != hazard.id:
            continue
        console.print()
        terminal.print_text(
            console,
            Text.assemble(
                (strategies.label(outcome.strategy), "bold"),
                " ",
                (str(outcome.verdict), STYLES[outcome.verdict]),
                f": {outcome.reason}" if outcome.reason else "",
            ),
        )
        terminal.print_pairs(console, [(f"{event.who:>8}", event.what) for event in outcome.story])
        for figure in hazard.figures:
            if figure.id in outcome.readings:
                console.print(f"  {figure.title}: {figure.format(outcome.readings[figure.id])}")
    console.print()
