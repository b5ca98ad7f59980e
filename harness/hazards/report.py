"""The page `docs/hazards.md`: the recorded tables, and a section for each hazard."""

import re
from collections.abc import Iterator, Sequence

from harness.console import markdown
from harness.fixes import Fix
from harness.hazards import catalogue
from harness.hazards import expected as record
from harness.hazards.hazard import TRIED, Hazard, HazardFigure, Outcome, Verdict
from harness.hazards.inside.story import HazardReading
from harness.hazards.table import VerdictTable
from harness.records.provenance import measured_later

INTRODUCTION = """\
# Hazards

Every known way in which starting worker processes goes wrong, reproduced and measured: each strategy is
**affected** by a hazard or survives it. A strategy survives when the state afterwards is right (sessions
alive, rows correct, transactions kept, workers back in time, memory shared), not merely when no error was
raised.

`poolstart hazards` measures the table, `poolstart hazards NAME` shows step by step what happens in one
hazard, `poolstart record hazards` records the table, and `poolstart pages` writes this page.
"""


def render() -> str:
    """The page as Markdown. Raises `PoolstartError` if the record is damaged."""
    hazards = catalogue.load_all()
    tables = record.load()
    parts = [INTRODUCTION]
    if tables:
        (series, newest), *older = tables.items()
        parts += [f"## SQLAlchemy {series}\n", *shown("Measured", newest, hazards)]
        if newest.further:
            parts += shown("Further strategies, measured", newest.further, hazards)
        for name, table in older:
            parts += [f"## SQLAlchemy {name}\n", differences(table, newest, series, hazards)]
            if table.repeated:
                parts.append(certainty(table))
    for which in record.combinations():
        parts += of_combination(which, hazards)
    parts += [section(hazard) for hazard in hazards]
    parts.append("## Not reproduced\n")
    for other in catalogue.NOT_REPRODUCED:
        parts += [f"### {other.title}\n", f"{other.description}\n", f"{other.reason}\n", links(other.links)]
    return "\n".join(parts)


def of_combination(which: str, hazards: Sequence[Hazard]) -> Iterator[str]:
    """The tables of another Python or driver: only the hazards that were tried with it."""
    for series, table in record.tables_of(which).items():
        yield f"## SQLAlchemy {series}, {named(which)}\n"
        for part in table.parts:
            tried = {hazard for (hazard, _), verdict in part.verdicts.items() if verdict in TRIED}
            yield from shown("Measured", part, [hazard for hazard in hazards if hazard.id in tried])


def named(which: str) -> str:
    """`Python 3.14, asyncpg` for the combination `3.14 asyncpg`."""
    return re.sub(r"^(?=\d)", "Python ", which.replace(" ", ", "))


def shown(begin: str, table: VerdictTable, hazards: Sequence[Hazard]) -> Iterator[str]:
    """The provenance of a table, its verdicts, and how often they were repeated."""
    yield f"{begin} {table.provenance}{table.provenance.by}.{measured_later(table.later)}\n"
    yield verdicts(table, hazards)
    if table.repeated:
        yield certainty(table)


def verdicts(table: VerdictTable, hazards: Sequence[Hazard]) -> str:
    """The table of one release: a row a hazard, a column a strategy."""
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
    """A verdict as the page shows it; empty without one."""
    if outcome is None:
        return ""
    return f"**{outcome.verdict}**" if outcome.verdict is Verdict.AFFECTED else str(outcome.verdict)


def differences(table: VerdictTable, newest: VerdictTable, series: str, hazards: Sequence[Hazard]) -> str:
    """The verdicts of an older series that differ from those of the newest one."""
    rows = []
    for hazard in hazards:
        for name in dict.fromkeys((*newest.strategies, *table.strategies)):
            outcomes = [each.outcome(hazard.id, name) for each in (table, newest)]
            words = [word(outcome) for outcome in outcomes]
            if len(set(words)) > 1 and any(outcome and outcome.verdict in TRIED for outcome in outcomes):
                rows.append(
                    [f"[{hazard.id}](#{hazard.id})", name, *(text or "not recorded" for text in words)]
                )
    measured = f"Measured {table.provenance}{table.provenance.by}.{measured_later(table.later)}"
    if not rows:
        return f"{measured} All verdicts are the same as with {series}.\n"
    changed = markdown.table(["hazard", "strategy", record.series(table.provenance.release), series], rows)
    return f"{measured} Verdicts that differ from {series}:\n\n{changed}"


def certainty(table: VerdictTable) -> str:
    """A sentence on how many verdicts came out the same in how many trials."""
    repeated = table.repeated
    assert repeated
    trials = f"{repeated.trials} of {repeated.trials} trials"
    cores = "core" if repeated.busy == 1 else "cores"
    load = f", with {repeated.busy} {cores} kept busy by other processes" if repeated.busy else ""
    tried = [cell for cell, verdict in table.verdicts.items() if verdict in TRIED]
    proven = sum(repeated.covers(*cell) for cell in tried)
    part = f"{proven} of the {len(tried)} verdicts were tried repeatedly, and"
    which = f"All {proven} verdicts" if proven == len(tried) else part
    return (
        f"{which} came out the same in {trials}{load}:"
        f" {repeated.provenance}{repeated.provenance.by}.{measured_later(repeated.later)}\n"
    )


def section(hazard: Hazard) -> str:
    """The section of a hazard, with its figures and the recorded story of its positive control."""
    lines = [
        f'<a id="{hazard.id}"></a>\n',
        f"## {escaped(hazard.title)} (`{hazard.id}`)\n",
        f"{escaped(hazard.description)}\n",
        f"> {escaped(hazard.symptom)}\n",
        f"**Affected when:** {escaped(hazard.affected_when)}\n",
        f"**Instead:** {escaped(hazard.avoidance)}\n",
        *code(hazard.fixes),
        f"**Controls:** {hazard.controls}.\n",
    ]
    newest = next(iter(record.load().values()), None)
    where, trials = trials_of(hazard, newest)
    if hazard.condition:
        lines.append(f"**Cannot happen if:** {hazard.condition.sentence} {proven(hazard, trials)}\n")
    if newest and hazard.figures:
        rows = []
        for figure in hazard.figures:
            readings = [reading(figure, newest.outcome(hazard.id, name)) for name in newest.strategies]
            rows.append([figure.title, *map(figure.format, readings)])
            rates = newest.repeated.rates.get(figure.id) if newest.repeated else None
            if newest.repeated and rates:
                title = f"{figure.title}; all {newest.repeated.trials} trials"
                rows.append([title, *(figure.format(rates.get(name)) for name in newest.strategies)])
        lines.append(f"Measured with SQLAlchemy {newest.provenance.release}:\n")
        lines.append(markdown.table([hazard.id, *newest.strategies], rows))
    outcome = trials.outcome(hazard.id, hazard.affected_control) if trials else None
    if outcome and outcome.story:
        lines.append(f"What happened under `{hazard.affected_control}`{where and f' ({where})'}:\n")
        lines.append("".join(f"- *{event.who}*: {escaped(event.what)}\n" for event in outcome.story))
    lines.append("See also:\n")
    lines.append(links(hazard.links))
    return "\n".join(lines)


def trials_of(hazard: Hazard, newest: VerdictTable | None) -> tuple[str, VerdictTable | None]:
    """The newest table; or, if the hazard could not be tried there, the name and table of a combination."""

    def tried(table: VerdictTable) -> bool:
        outcome = table.outcome(hazard.id, hazard.affected_control)
        return outcome is not None and outcome.verdict in TRIED

    if newest and not tried(newest):
        for which in record.combinations():
            for table in record.tables_of(which).values():
                if tried(table):
                    return named(which), table
    return "", newest


def code(fixes: Sequence[Fix]) -> Iterator[str]:
    """Code to copy, each piece with its title."""
    for fix in fixes:
        yield f"{fix.title}:\n"
        yield f"```python\n{fix.code}\n```\n"


def proven(hazard: Hazard, table: VerdictTable | None) -> str:
    """A sentence on the result of the trials in which the condition was kept."""
    assert hazard.condition
    tried: dict[Verdict, list[str]] = {}
    for part in table.parts if table else ():
        for outcome in part.outcomes:
            if outcome.hazard == hazard.id and outcome.with_condition:
                tried.setdefault(outcome.with_condition, []).append(f"`{outcome.strategy}`")
    if not tried:
        return f"({hazard.condition.label}; not tried)"
    shown = "; ".join(f"{verdict}: {', '.join(names)}" for verdict, names in tried.items())
    return f"({hazard.condition.label}; tried: {shown})"


def escaped(text: str) -> str:
    """Text with Markdown's markup escaped, so that `__main__`, `***` and `<locals>` are shown as written."""
    return re.sub(r"__|[*<]", lambda match: "".join(f"\\{character}" for character in match[0]), text)


def links(addresses: Sequence[str]) -> str:
    return "".join(f"- <{address}>\n" for address in addresses)


def reading(figure: HazardFigure, outcome: Outcome | None) -> HazardReading | None:
    """The value of a figure in an outcome; None if it has none."""
    return outcome.readings.get(figure.id) if outcome else None
