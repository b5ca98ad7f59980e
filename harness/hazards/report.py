"""Hazards, as a table and as stories in the terminal, and as the page `docs/hazards.md`.

The page is made of the hazards' own words and the recorded tables, and nothing else.
"""

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

from harness.console import markdown, terminal
from harness.hazards import catalogue
from harness.hazards import expected as record
from harness.hazards.expected import Recorded, Setting
from harness.hazards.hazard import Hazard, HazardFigure, Outcome, Verdict
from harness.hazards.inside.story import Reading
from harness.hazards.tally import Tally

INTRODUCTION = """\
# Hazards

Every way in which starting workers goes wrong, reproduced and measured: strategy by hazard, **affected** or
survives. A strategy survives when the state afterwards is right (sessions alive, rows right, transactions
kept, workers back in time, memory shared), not when there was no error.

`poolstart hazards` measures the table, `poolstart hazards NAME` tells the story of one hazard,
`poolstart hazards --record` records the table, and `poolstart pages` writes this page.
"""

STYLES = {
    Verdict.AFFECTED: "red",
    Verdict.SURVIVES: "green",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.NO_RESULT: "yellow",
}

SYMBOLS = {
    Verdict.AFFECTED: "X",
    Verdict.SURVIVES: ".",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.NO_RESULT: "?",
}
DISAGREE = "!"
"""Where a table has no room for words: a verdict, and trials that came to different ones."""

COLUMNS = (
    "sqlalchemy", "server", "hazard", "severity", "strategy", "verdict", "expected", "trials", "affected",
    "survives", "not_applicable", "no_result", "reason",
)  # fmt: skip
"""Of `--csv`, a row a hazard and strategy: the last but `reason` are counts of trials."""


class View:
    """The table as it fills."""

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

    def seen(self, outcome: Outcome) -> None:
        self.tally.add(outcome)
        self._progress.advance(self._task)
        if not self._console.is_terminal:
            done = sum(counts.total() for counts in self.tally.counts.values())
            what = f"{outcome.hazard} under {outcome.strategy}: {outcome.verdict}"
            terminal.say(self._console, f"trial {done} of {self._total}: {what}")

    def rendered(self) -> RenderableType:
        return Group(*self.tables(self._console.width), Text(""), self._progress)

    def tables(self, width: int) -> list[Table]:
        """In words where there is room for them, else in letters that `legend` explains."""
        if self._room(width):
            header, rows = self._words()
            return terminal.tables(header, rows, width, left=len(header), gap=1)
        return self._letters(width)

    def _room(self, width: int) -> bool:
        return len(terminal.bands(*self._words(), width, gap=1)) == 1

    def legend(self, width: int) -> list[tuple[str, str]]:
        """What the letters mean; nothing where there are words."""
        if self._room(width):
            return []
        return [
            *((symbol, str(verdict)) for verdict, symbol in SYMBOLS.items()),
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
def watched(hazards: Sequence[Hazard], strategies: Sequence[str], repeat: int) -> Iterator[View]:
    """The table as it fills, on standard error: the whole of it in a terminal, a line a trial elsewhere."""
    view = View(hazards, strategies, repeat)
    with Live(get_renderable=view.rendered, console=terminal.errors(), refresh_per_second=4, transient=True):
        yield view


def tell(
    view: View,
    outcomes: Sequence[Outcome],
    setting: Setting,
    surprises: Sequence[str],
    form: str = "table",
    *,
    stories: bool = False,
) -> None:
    """What the trials came to: as a table, with the stories if wanted, or for programs."""
    if form == "csv":
        terminal.print_csv(COLUMNS, records(view, setting))
    elif form == "json":
        terminal.print_json(
            {
                "setting": asdict(setting),
                "verdicts": list(records(view, setting)),
                "outcomes": [asdict(outcome) for outcome in outcomes],
                "surprises": list(surprises),
            }
        )
    else:
        console = terminal.output()
        console.print(Text(f"SQLAlchemy {setting.release}, {setting.server}", style="bold"))
        for table in view.tables(console.width):
            console.print(table)
            console.print()
        terminal.listed(console, view.legend(console.width))
        if stories:
            for hazard in view.hazards:
                tell_story(console, hazard, outcomes[: len(view.hazards) * len(view.strategies)])
        for line in [*view.tally.notes(), *surprises]:
            terminal.say(console, line)


def records(view: View, setting: Setting) -> Iterator[dict[str, Any]]:
    """A row a hazard and strategy, in `COLUMNS`; `verdict` is empty where the trials disagree."""
    expected = record.expected(setting.release)
    for hazard in view.hazards:
        for name in view.strategies:
            counts = view.tally.of(hazard.id, name)
            yield {
                "sqlalchemy": setting.release,
                "server": setting.server,
                "hazard": hazard.id,
                "severity": str(hazard.severity),
                "strategy": name,
                "verdict": str(next(iter(counts))) if len(counts) == 1 else "",
                "expected": str(expected.get((hazard.id, name), "")),
                "trials": counts.total(),
                "affected": counts[Verdict.AFFECTED],
                "survives": counts[Verdict.SURVIVES],
                "not_applicable": counts[Verdict.NOT_APPLICABLE],
                "no_result": counts[Verdict.NO_RESULT],
                "reason": view.tally.reasons.get((hazard.id, name), ""),
            }


def tell_story(console: Console, hazard: Hazard, outcomes: Sequence[Outcome]) -> None:
    """The story of a hazard, once for each strategy."""
    console.print()
    console.print(Text.assemble((hazard.title, "bold"), f" ({hazard.id}: {hazard.severity})"))
    console.print()
    for text in (
        hazard.description,
        f"What users report: {hazard.symptom}",
        f"Affected when: {hazard.affected_when}",
    ):
        terminal.say(console, text)
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
        terminal.listed(console, [(f"{event.who:>8}", event.what) for event in outcome.story])
        for figure in hazard.figures:
            if figure.id in outcome.readings:
                console.print(f"  {figure.title}: {shown(figure, outcome.readings[figure.id])}")
    console.print()
    terminal.say(console, f"Instead: {hazard.avoidance}")
    for link in hazard.links:
        console.print(f"  {link}", soft_wrap=True)


def render() -> str:
    hazards = catalogue.load_all()
    tables = record.load()
    parts = [INTRODUCTION]
    if tables:
        (series, newest), *older = tables.items()
        parts += [
            f"## SQLAlchemy {series}\n",
            f"Measured {newest.setting}, by `{record.COMMAND}`.\n",
            verdicts(newest, hazards),
        ]
        if newest.repeated:
            parts.append(certainty(newest))
        if further := newest.further:
            parts += [
                f"Further strategies, measured {further.setting}, by `{record.COMMAND_FURTHER}`.\n",
                verdicts(further, hazards),
            ]
            if further.repeated:
                parts.append(certainty(further))
        for name, table in older:
            parts += [f"## SQLAlchemy {name}\n", differences(table, newest, series, hazards)]
            if table.repeated:
                parts.append(certainty(table))
    for hazard in hazards:
        parts.append(section(hazard))
    parts.append("## Not reproduced\n")
    for other in catalogue.NOT_REPRODUCED:
        parts += [f"### {other.title}\n", f"{other.description}\n", f"{other.reason}\n", links(other.links)]
    return "\n".join(parts)


def verdicts(table: Recorded, hazards: Sequence[Hazard]) -> str:
    """The table of one release."""
    rows = [
        [
            f"[{hazard.id}](#{hazard.id})",
            str(hazard.severity),
            *(word(table.outcome(hazard.id, name)) for name in table.strategies),
        ]
        for hazard in hazards
    ]
    return markdown.table(["hazard", "severity", *table.strategies], rows)


def word(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    return "**affected**" if outcome.verdict is Verdict.AFFECTED else str(outcome.verdict)


def differences(table: Recorded, newest: Recorded, series: str, hazards: Sequence[Hazard]) -> str:
    """What is not as in the table of the newest release."""
    rows = []
    for hazard in hazards:
        for name in dict.fromkeys((*newest.strategies, *table.strategies)):
            here, there = table.outcome(hazard.id, name), newest.outcome(hazard.id, name)
            if word(here) != word(there):
                rows.append(
                    [
                        f"[{hazard.id}](#{hazard.id})",
                        name,
                        *(word(one) or "not recorded" for one in (here, there)),
                    ]
                )
    measured = f"Measured {table.setting}, by `{record.COMMAND}`."
    if not rows:
        return f"{measured} Every verdict is as with {series}.\n"
    told = markdown.table(["hazard", "strategy", record.series(table.setting.release), series], rows)
    return f"{measured} As with {series}, but for:\n\n{told}"


def certainty(table: Recorded) -> str:
    """Which verdicts came out the same in how many trials."""
    repeated = table.repeated
    assert repeated
    trials = f"{repeated.trials} of {repeated.trials} trials"
    cores = "core" if repeated.busy == 1 else "cores"
    beside = f", with {repeated.busy} {cores} kept busy by something else" if repeated.busy else ""
    tried = [cell for cell, verdict in table.verdicts.items() if verdict is not Verdict.NOT_APPLICABLE]
    proven = sum(repeated.of(*cell) for cell in tried)
    every = "Every one" if proven == len(tried) else f"{proven} of the {len(tried)}"
    return (
        f"{every} of these verdicts came out the same in {trials}{beside}:"
        f" {repeated.setting}, by `{repeated.command}`.\n"
    )


def section(hazard: Hazard) -> str:
    lines = [
        f'<a id="{hazard.id}"></a>\n',
        f"## {hazard.title} (`{hazard.id}`)\n",
        f"{hazard.description}\n",
        f"> {hazard.symptom}\n",
        f"**Affected when:** {hazard.affected_when}\n",
        f"**Instead:** {hazard.avoidance}\n",
        f"**Controls:** {hazard.controls}.\n",
    ]
    newest = next(iter(record.load().values()), None)
    if newest and hazard.figures:
        rows = []
        for figure in hazard.figures:
            readings = [reading(figure, newest.outcome(hazard.id, name)) for name in newest.strategies]
            rows.append([figure.title, *(shown(figure, each) for each in readings)])
            rates = newest.repeated.rates.get(figure.id) if newest.repeated else None
            if newest.repeated and rates:
                title = f"{figure.title}; the {newest.repeated.trials} trials together"
                rows.append([title, *(shown(figure, rates.get(name)) for name in newest.strategies)])
        lines.append(f"Measured with SQLAlchemy {newest.setting.release}:\n")
        lines.append(markdown.table([hazard.id, *newest.strategies], rows))
    story = newest.outcome(hazard.id, hazard.affected_control) if newest else None
    if story:
        lines.append(f"What happened to `{hazard.affected_control}`:\n")
        lines.append("".join(f"- *{event.who}*: {event.what}\n" for event in story.story))
    lines.append("See also:\n")
    lines.append(links(hazard.links))
    return "\n".join(lines)


def links(addresses: Sequence[str]) -> str:
    return "".join(f"- <{address}>\n" for address in addresses)


def reading(figure: HazardFigure, outcome: Outcome | None) -> Reading | None:
    return outcome.readings.get(figure.id) if outcome else None


def shown(figure: HazardFigure, reading: Reading | None) -> str:
    """A reading with its unit, and a fraction with its number of trials; nothing without one."""
    if reading is None:
        return ""
    match figure.unit:
        case "fraction":
            assert reading.trials is not None
            return f"{round(reading.value * reading.trials)} of {reading.trials}"
        case "bytes":
            return f"{reading.value / 2**20:.1f} MiB"
        case "seconds":
            return f"{reading.value:.3f} s"
        case _:
            return f"{reading.value:g}"
