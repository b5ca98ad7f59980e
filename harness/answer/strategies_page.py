"""The page `docs/strategies.md`: every strategy, when to use it, its code and its documentation.

It is made from the catalogue, the functions that are measured, and the recorded verdicts.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from harness import strategies
from harness.answer import recommendation, verdicts
from harness.answer.code.measured import block, files
from harness.answer.figures import sentences
from harness.answer.figures.results import ReleaseResults
from harness.answer.verdicts import VerdictsOnRecord
from harness.console import markdown, output, terminal
from harness.console.numbers import INTERVAL
from harness.hazards.hazard import Hazard
from harness.lifecycles import metrics
from harness.programs import report as programs
from harness.programs.figures import ProgramsTable
from harness.programs.head import get
from harness.programs.report import memory
from harness.strategies import Strategy

INTRODUCTION = """\
# Strategies

A strategy is a start method together with what is done about the pool. Its code is a complete program around
the functions that are measured, written as the linked documentation recommends. Written by `poolstart pages`.
"""

CHOICE = """\
## Which one

The first rule that matches decides. The site that `asv publish` writes also asks for driver, program and
numbers.
"""

CONDITIONS = """\
<a id="conditions"></a>
Fork's conditions, each proven by trials ([hazards.md](hazards.md)):
"""

NAMES = """\
With fork, name the start method: from Python 3.14 on it is no longer the default, and a script that connects
at its top level shares that connection among all workers ([pythons.md](pythons.md)). With a fork server or
spawn, name the driver in the URL that the function gets, `postgresql+psycopg2://user:password@host/database`:
from SQLAlchemy 2.1 on, `postgresql://` means psycopg 3, and a preload of psycopg2 does not help. The URL of
an engine is `engine.url.render_as_string(hide_password=False)`; `str(engine.url)` has `***` in place of the
password.
"""

MEMORY = ("uss", "uss_collected")
"""The metrics in the tables."""

IMPORTABLE = """\
The fork server must be able to import `preloaded.py`, from the current directory or `PYTHONPATH`: it
ignores a module that it cannot import, and says nothing.
"""

PRELOADS_MORE = """\
The series is measured with this preload. The code in README.md also preloads `psycopg2.extras`, which saves a
worker about a millisecond.
"""

DEFAULT = """\
## The default series

`asv run` measures these strategies for each release.
"""

FURTHER = """\
## Further strategies

These are measured on request: `poolstart measure --strategy fork_atfork`,
`poolstart hazards --strategy fork_atfork`, or `POOLSTART_STRATEGIES=fork_atfork asv run -b further`.
"""


def write(members: Sequence[Strategy], recorded: VerdictsOnRecord, form: str, *, code: bool) -> None:
    """Print strategies as `table`, `json`, `csv` or `markdown`; with `code` the section of each."""
    rows = [record(each, recorded) for each in members]
    if form == "json" and code:
        rows = [{**row, "files": files(each)} for row, each in zip(rows, members, strict=True)]

    def show() -> None:
        console = terminal.output()
        for each, row in zip(members, rows, strict=True):
            if code:
                terminal.print_markdown(console, section(each, recorded).partition("\n\n")[2])
            else:
                terminal.print_heading(console, f"{each.id}: {each.title}")
                terminal.print_text(console, f"    {row['use_when']}")
                terminal.print_text(
                    console, f"    Worst outcome that was provoked: {row['worst_outcome']}.\n"
                )

    output.write(form, rows, show)


def record(strategy: Strategy, recorded: VerdictsOnRecord) -> dict[str, Any]:
    """A strategy as a row."""
    worst = recorded.worst(strategy.id, recorded.newest_release)
    return {
        "strategy": strategy.id,
        "title": strategy.title,
        "start_method": strategy.start_method,
        "safe": strategy.safe,
        "series": "default" if strategy in strategies.CATALOGUE else "further",
        "use_when": recommendation.use_when(strategy),
        "worst_outcome": str(worst),
        "hazards": worst.count,
        "docs": strategy.docs,
    }


def render(measured: ReleaseResults | None) -> str:
    """The page as Markdown, with the memory in these results.

    Raises PoolstartError if a record is damaged.
    """
    recorded = verdicts.load()
    parts = [INTRODUCTION, *choice(measured), DEFAULT, *([memory_caption(measured)] if measured else [])]
    parts += group(strategies.CATALOGUE, recorded, measured)
    parts += [FURTHER, freezing(programs.load())]
    parts += group(strategies.FURTHER, recorded, measured)
    return "\n".join(parts)


def choice(measured: ReleaseResults | None) -> list[str]:
    """The rules with their reasons, fork's conditions, and what holds for all recipes."""
    rules = [
        f"{number}. {rule.in_order}: [`{rule.strategy}`](#{rule.strategy}). {rule.reason}\n"
        for number, rule in enumerate(recommendation.rules(life_of(measured)), 1)
    ]
    conditions = [f"- *{each.label}*: {each.sentence}\n" for each in recommendation.CONDITIONS_OF_FORK]
    return [
        CHOICE,
        "".join(rules),
        f"{recommendation.SPAWN_INSTEAD}\n",
        CONDITIONS,
        "".join(conditions),
        NAMES,
    ]


def group(
    members: Sequence[Strategy], recorded: VerdictsOnRecord, measured: ReleaseResults | None
) -> list[str]:
    """The table of some strategies, and the section of each."""
    sections = (section(each, recorded, life_of(measured)) for each in members)
    return [table(members, recorded, measured), *sections]


def life_of(measured: ReleaseResults | None) -> str:
    """The lifetime of a worker from which a slow start pays off, in words."""
    return sentences.life(measured.estimate) if measured else recommendation.UNKNOWN_LIFE


def memory_caption(measured: ReleaseResults) -> str:
    """The caption of the two figures of memory."""
    unique, collected = map(metrics.get, MEMORY)
    return (
        f"*{unique.heading}*: {unique.meaning} *{collected.short[0].upper()}{collected.short[1:]}*:"
        f" {collected.meaning} A worker that lives long collects sooner or later. With nothing large in the"
        f" parent, as in README.md's answer. {measured.conditions}.\n"
    )


def freezing(recorded: ProgramsTable | None) -> str:
    """A sentence on the memory that gc.freeze() saves, according to the record."""
    saved = [
        f"{figures.title}, {memory(figures.spared)} MiB instead of {memory(figures.uss)}"
        for figures in (recorded.programs if recorded else ())
        if figures.spared and figures.hosts == 1 and "gc.freeze()" in get(figures.name).memory_lines
    ]
    sentence = (
        "`fork_freeze` and `forkserver_freeze` keep memory shared that a full garbage collection would copy:"
        " `gc.collect(); gc.freeze()` before the fork, or in the last preloaded module. It pays if workers"
        " live long enough to collect. Their own figures are still to be measured for the record"
        " (`poolstart measure --strategy fork_freeze`)."
    )
    if saved:
        programs_page = "[programs](programs.md) whose lines do the same"
        sentence += f" On record for {programs_page}, per worker: {'; '.join(saved)}. {INTERVAL}."
    return f"{sentence}\n"


def table(members: Iterable[Strategy], recorded: VerdictsOnRecord, measured: ReleaseResults | None) -> str:
    """A row for each strategy, with a link to its section."""

    def figure(metric: str, strategy: str) -> str:
        known = measured.of(metric, strategy) if measured else None
        return known.text() if known else "to be measured"

    rows = [
        [
            f"[`{each.id}`](#{each.id})",
            each.title,
            str(recorded.worst(each.id, recorded.newest_release)),
            *(figure(metric, each.id) for metric in MEMORY),
            recommendation.use_when(each, life_of(measured)),
        ]
        for each in members
    ]
    columns = (metrics.get(metric).column for metric in MEMORY)
    return markdown.table(["strategy", "what it is", "worst outcome", *columns, "when to use it"], rows)


def section(strategy: Strategy, recorded: VerdictsOnRecord, life: str = recommendation.UNKNOWN_LIFE) -> str:
    """When to use a strategy, its code, and the hazards that affect it."""
    lines = [
        f'<a id="{strategy.id}"></a>\n',
        f"### {strategy.title} (`{strategy.id}`)\n",
        f"{recommendation.use_when(strategy, life)}\n",
        *(block(name, text) for name, text in files(strategy).items()),
    ]
    if not strategy.pooled:
        advice = recommendation.POOLER.replace("docs/poolers.md", "[poolers.md](poolers.md)")
        link = "[pooler_session](lookalikes.md#pooler_session)"
        lines.append(f"{advice.replace('docs/lookalikes.md#pooler_session', link)}\n")
    if not strategy.inherits:
        lines.append(f"{recommendation.ENGINE_FUNCTION}\n")
    if strategy.id == recommendation.PRELOADED:
        lines.append(PRELOADS_MORE)
    if strategy.id == recommendation.SEVERED:
        lines.append("The same as a module to copy, with its limits and its cost: [sever.md](sever.md).\n")
    if len(files(strategy)) > 1:
        lines.append(IMPORTABLE)
    if affected := affected_by(strategy.id, recorded):
        lines.append(f"{affected}\n")
    lines.append(f"Documentation: <{strategy.docs}>\n")
    return "\n".join(lines)


def affected_by(strategy: str, recorded: VerdictsOnRecord) -> str:
    """A table of the hazards that affect a strategy in the newest recorded release, by condition."""
    worst = recorded.worst(strategy, recorded.newest_release)
    if not worst.counted:
        return ""
    if not worst.affecting:
        return f"Affected by {worst.count} hazards."
    rows = [
        [f"**{condition.label}**: {condition.sentence}", listed(hazards)]
        for condition, hazards in worst.excluded
    ]
    if worst.untried:
        rows.append(["a condition that was not tried", listed(worst.untried)])
    rows.append(["**in any case**", listed(worst.remaining) if worst.remaining else "nothing"])
    return (
        f"Worst outcome: {worst}. Affected by {worst.count} hazards:\n\n"
        + markdown.table(["unless", "what happens"], rows).rstrip()
    )


def listed(hazards: Iterable[Hazard]) -> str:
    """The hazards with links, by severity. They must be ordered by it."""
    return "; ".join(
        f"{severity}: {', '.join(f'[{hazard.id}](hazards.md#{hazard.id})' for hazard in group)}"
        for severity, group in groupby(hazards, key=lambda hazard: hazard.severity)
    )
