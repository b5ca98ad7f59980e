"""The table of programs in the terminal, and the generated page `docs/programs.md`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from harness.console import markdown, output, terminal
from harness.console.numbers import digits
from harness.fixes import EVERY_ENGINE
from harness.lifecycles import intervals, metrics
from harness.lifecycles.intervals import median_with_interval
from harness.programs.figures import HookRuns, ProgramFigures, ProgramsTable
from harness.programs.head import Program, get
from harness.programs.run import WORKERS
from harness.records import store
from harness.records.provenance import measured_later
from harness.system.environment import ROOT
from harness.system.memory import MIB

PATH = store.path("programs")

HEADER = [
    "program",
    "first row, ms",
    "unique memory, MiB each",
    "without the hook",
    "worker replaced",
    "worker killed",
]

UNLIKE = 1.5
"""Workers of a program whose unique memory differs by more than this factor are shown as two figures."""

INTRODUCTION = """\
# Programs that start workers

How to give workers their own connections in executors, application servers and task queues. Each program is
run the way its users run it, with two workers. Its application holds a warm engine, like an application that
reads a setting from the database at import time. For each program this page shows the lines that give every
worker its own connections (the *hook*), exactly as they were run; what its workers do without them; and
whether the hook runs again in a worker that replaces another one.

*First row* is the time from the moment named for each program until its first worker has a row from the
server. *Unique memory* (USS) is read from both workers while each holds a row; two figures are given if one
worker holds much more than the other. After a full garbage collection forked workers take more, by as much as
[the memory of single workers](results.md) grows. Whether workers share a connection is read from the server's
process id (`pg_backend_pid()`) of the session that each row came through.

Programs that can spread their workers over machines are measured on two hosts as well, with one worker on
each. The hosts are network namespaces with their own network and host name; they share the processors and the
clock, and there is no network distance between them.

The lines name one engine. A process may have more: binds of Flask-SQLAlchemy, a read replica, the engine of a
library or of a job store. Each needs these lines. This code finds every engine; of an AsyncEngine it finds
the `sync_engine`:
"""


def load(path: Path = PATH) -> ProgramsTable | None:
    """The recorded figures; None if there are none. Raises `PoolstartError` if the file is damaged."""
    return store.load(ProgramsTable, path, "poolstart record programs")


def write(table: ProgramsTable, form: str) -> None:
    """Print the table as `table`, `json`, `csv` or `markdown`."""
    output.write(form, records(table), lambda: show(table), asdict(table))


def records(table: ProgramsTable) -> Iterator[dict[str, Any]]:
    """A row for each program and number of hosts: medians in seconds and bytes."""
    for figures in table.programs:
        yield {
            "program": figures.name,
            "hosts": figures.hosts,
            "first_row": median(figures.first_row),
            "uss": median(figures.uss),
            "uss_spared": median(figures.spared) if figures.spared else None,
            "without_hook": figures.without.outcome,
            "replaced": hook_outcome(figures.replaced).replace("**", ""),
            "killed": hook_outcome(figures.killed).replace("**", ""),
            "versions": ", ".join(figures.versions),
        }


def show(table: ProgramsTable) -> None:
    """Print the table, and for each program its hook and what was observed."""
    console = terminal.output()
    plain = [[cell.replace("**", "") for cell in row(figures)] for figures in table.programs]
    terminal.print_table(console, [terminal.fold(title) for title in HEADER], plain)
    terminal.print_text(console, caption())
    for program, several in by_program(table):
        terminal.print_text(console, f"{program.title}: {program.link}")
        if program.hook:
            terminal.print_code(console, program.hook)
        if program.memory_lines:
            terminal.print_text(console, f"To save memory: {program.thread}")
            terminal.print_code(console, program.memory_lines)
        if program.besides:
            terminal.print_text(console, f"Also: {markdown.plain(program.besides.strip())}")
        for sentence in observations(program, several):
            terminal.print_text(console, sentence)
        console.print()


def by_program(table: ProgramsTable) -> list[tuple[Program, list[ProgramFigures]]]:
    """Each program with its figures: on one host, and on several if it was measured there."""
    grouped: dict[str, list[ProgramFigures]] = {}
    for figures in table.programs:
        grouped.setdefault(figures.name, []).append(figures)
    return [(get(name), several) for name, several in grouped.items()]


def observations(program: Program, several: Sequence[ProgramFigures]) -> list[str]:
    """Sentences about a program; for several hosts, only those that differ."""
    first, *others = several
    lines = [*sentences(first), f"First row: from {program.clock}."]
    for other in others:
        differing = [sentence for sentence in sentences(other) if sentence not in lines]
        lines += [f"On {other.hosts} hosts: {sentence[0].lower()}{sentence[1:]}" for sentence in differing]
    return lines


def row(figures: ProgramFigures) -> list[str]:
    """A row of the table, under `HEADER`."""
    return [
        figures.title,
        median_with_interval(figures.first_row, 1e3),
        memory(figures.uss),
        {"shared": "**shared connection**", "own": "own connections", "error": "error"}[
            figures.without.outcome
        ],
        hook_outcome(figures.replaced),
        hook_outcome(figures.killed),
    ]


def memory(uss: Sequence[int]) -> str:
    """The unique memory of a worker in MiB; two figures if half of the workers hold much more."""
    ordered = sorted(uss)
    half = len(ordered) // 2
    low, high = median(ordered[: half or 1]), median(ordered[half:])
    if high > UNLIKE * low:
        return f"{digits(low / MIB)} or {digits(high / MIB)}"
    starts = [median(uss[first : first + WORKERS]) for first in range(0, len(uss), WORKERS)]
    return median_with_interval(starts, 1 / MIB)


def hook_outcome(runs: HookRuns | None) -> str:
    """Whether the hook ran in replacement workers, in a few words."""
    if runs is None:
        return "n/a"
    if runs.error:
        return "error"
    return "hook ran again" if runs.own == runs.workers else "**hook did not run**"


def sentences(figures: ProgramFigures) -> list[str]:
    """What was observed of a program on one number of hosts."""
    program = get(figures.name)
    lines = [f"Without the hook: {without_hook(figures)}."]
    if figures.replaced:
        lines.append(f"Workers replaced (`{program.replaced}`): {replacements(figures.replaced)}.")
    lines.append(f"One worker killed: {replacements(figures.killed)}.")
    if figures.spared:
        # The reason is given once.
        reason = f" {program.sparing}" if figures.hosts == 1 else ""
        lines.append(
            f"Memory: {memory(figures.uss)} MiB per worker.{reason} With the lines that save memory:"
            f" {memory(figures.spared)} MiB."
        )
    return lines


def without_hook(figures: ProgramFigures) -> str:
    """What the workers did without the hook."""
    without = figures.without
    if without.outcome == "error":
        # Lines after the first are SQL and its parameters.
        return without.error.partition("\n")[0].rstrip(".")
    if without.outcome == "own":
        return "each worker has its own connection"
    if figures.hosts > 1:
        return "each worker uses the connection of the process that it was forked from"
    plural = "s" if without.sessions > 1 else ""
    return (
        f"{WORKERS} workers and the process that loaded the application share"
        f" {without.sessions} connection{plural}"
    )


def replacements(runs: HookRuns) -> str:
    """How many workers ran the tasks, and in how many the hook ran."""
    if runs.error:
        return f"no worker replaces it: {runs.error}"
    return (
        f"{runs.tasks} tasks ran in {runs.workers} workers, {runs.own} of them with a connection of their own"
    )


def render(table: ProgramsTable) -> str:
    """The page `docs/programs.md`."""
    parts = [
        INTRODUCTION,
        f"```python\n{EVERY_ENGINE.code}\n```\n",
        f"Measured {table.provenance}{table.provenance.by}: medians of {table.runs} starts."
        f" {caption()}{measured_later(table.later)}\n",
        markdown.table(HEADER, [row(figures) for figures in table.programs]),
        *(section(program, several) for program, several in by_program(table)),
    ]
    return "\n".join(parts)


def section(program: Program, several: Sequence[ProgramFigures]) -> str:
    """The part of the page about one program."""
    versions = several[0].versions
    parts = [
        f"## {program.title}\n",
        f"```python\n{program.hook}\n```\n" if program.hook else "It needs no hook.\n",
        *(
            [f"To save memory ([why]({program.thread})):\n\n```python\n{program.memory_lines}\n```\n"]
            if program.memory_lines
            else []
        ),
        *([f"- Also: {program.besides.strip()}"] if program.besides else []),
        *(f"- {sentence}" for sentence in observations(program, several)),
        *([f"- Versions: {', '.join(versions)}."] if versions else []),
        f"- [Documentation]({program.link}); [the complete application]"
        f"(../{program.path.relative_to(ROOT)}).\n",
    ]
    return "\n".join(parts)


def caption() -> str:
    """What ± means where first rows and unique memory are shown, and is between the starts of this run."""
    shown = (metrics.get("time_to_first_row"), metrics.get("uss"))
    return intervals.caption(shown, "starts of this run")
