"""Programs that start workers, as a table and as the page `docs/programs.md`, never edited by hand."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from harness.console import markdown, terminal
from harness.lifecycles.samples import digits
from harness.pools.report import shown
from harness.programs import measure as programs
from harness.programs.measure import Measured, Program, Replaced, Table
from harness.system.environment import ROOT
from harness.system.memory import MIB

PATH = ROOT / "docs" / "programs.json"
"""What is recorded; the page is beside it."""

HEADER = [
    "program",
    "first row, ms",
    "unique MiB each",
    "without the hook",
    "worker replaced",
    "worker killed",
]

APART = 1.5
"""Workers of one program that hold this many times as much as the others are not the same."""

INTRODUCTION = """\
# How workers are really started

The cures of this suite, where people need them: in executors, servers and task queues. Each program is run as
its users run it, with two workers, and its application holds a warm engine, as one does that reads a setting
from the database when it is imported. Below are the lines that each needs, as they were run; what its workers
do without them; and whether the lines are run again in a worker that takes another one's place.

*First row* is from the moment named with each program until its first worker has its row from the server.
*Unique memory* is that of both workers while each holds a row; two figures, where one of them holds much more
than the other. Whether workers shared a connection is told by the server's own number of the session that
each row came by.

What can outgrow one machine is measured on two as well, with a worker on each. Namespaces with a network and
a name of their own stand in for machines: they share processors and a clock, and there is no distance.
"""


def load(path: Path = PATH) -> Table | None:
    """What is recorded; nothing before the first time."""
    return Table.from_json(path.read_text()) if path.exists() else None


def save(table: Table, path: Path) -> None:
    """Record what was measured, and write the page of it."""
    path.write_text(table.to_json())
    path.with_suffix(".md").write_text(render(table))


def show(table: Table) -> None:
    """The table in the terminal, and of each program its hook and what was seen."""
    console = terminal.output()
    cells = [[cell.replace("**", "") for cell in row] for row in rows(table)]
    terminal.show(console, [terminal.folded(title) for title in HEADER], cells)
    for program, several in by_program(table):
        terminal.say(console, f"{program.title}: {program.link}")
        for line in program.hook.splitlines():
            terminal.say(console, f"    {line}")
        if program.more:
            terminal.say(console, f"To spare memory: {program.thread}")
            for line in program.more.splitlines():
                terminal.say(console, f"    {line}")
        for sentence in told(program, several):
            terminal.say(console, sentence)
        console.print()


def by_program(table: Table) -> list[tuple[Program, list[Measured]]]:
    """What was measured of each program: on one host, and on several."""
    found: dict[str, list[Measured]] = {}
    for measured in table.programs:
        found.setdefault(measured.name, []).append(measured)
    return [(programs.get(name), several) for name, several in found.items()]


def told(program: Program, several: Sequence[Measured]) -> list[str]:
    """All that is said of a program: of several hosts, what differs."""
    first, *others = several
    said = [*sentences(first), f"First row from {program.clock}."]
    for other in others:
        differing = [each for each in sentences(other) if each not in said]
        said += [f"On {other.hosts} hosts: {each[0].lower()}{each[1:]}" for each in differing]
    return said


def rows(table: Table) -> list[list[str]]:
    return [row(measured) for measured in table.programs]


def row(measured: Measured) -> list[str]:
    return [
        measured.title,
        shown(measured.first_row, 1e3),
        memory(measured.uss),
        {"shared": "**one connection for several**", "own": "own connections", "error": "error"}[
            measured.without.outcome
        ],
        again(measured.replaced),
        again(measured.killed),
    ]


def memory(uss: tuple[int, ...]) -> str:
    """Of a worker; of both, where they hold so different amounts that the middle is nobody's."""
    ordered = sorted(uss)
    half = len(ordered) // 2
    low, high = median(ordered[: half or 1]), median(ordered[half:])
    if high > APART * low:
        return f"{digits(low / MIB)} or {digits(high / MIB)}"
    return shown(uss, 1 / MIB)


def again(replaced: Replaced | None) -> str:
    """What became of the hook in workers that took others' places, in a word or two."""
    if replaced is None:
        return "n/a"
    if replaced.said:
        return "error"
    return "hook run again" if replaced.own == replaced.workers else "**hook not run**"


def sentences(measured: Measured) -> list[str]:
    """What was seen of a program besides its figures."""
    program = programs.get(measured.name)
    without = {
        "shared": "each worker talks over the connection of the process that it comes from"
        if measured.hosts > 1
        else f"{programs.WORKERS} workers, and the process that loaded the application, talk over"
        f" {measured.without.sessions} connection{'s' if measured.without.sessions > 1 else ''}",
        "own": "each worker has a connection of its own",
        "error": measured.without.said.rstrip("."),
    }[measured.without.outcome]
    told = [f"Without the hook: {without}."]
    if measured.replaced:
        told.append(f"Replaced (`{program.replaced}`): {successors(measured.replaced)}.")
    told.append(f"A worker killed: {successors(measured.killed)}.")
    if measured.spared:
        # Why is said once.
        why = f" {program.sparing}" if measured.hosts == 1 else ""
        told.append(
            f"Memory: {memory(measured.uss)} MiB each.{why} With the lines that spare it:"
            f" {memory(measured.spared)} MiB."
        )
    return told


def successors(replaced: Replaced) -> str:
    if replaced.said:
        return f"there is no other: {replaced.said}"
    return (
        f"{replaced.tasks} tasks, {replaced.workers} workers, of which {replaced.own} have"
        " a connection of their own"
    )


def render(table: Table) -> str:
    parts = [
        INTRODUCTION,
        f"Measured {table.setting}, by `poolstart programs --record`: medians ± half the interquartile range"
        f" of {table.runs} starts.\n",
        markdown.table(HEADER, rows(table)),
    ]
    for program, several in by_program(table):
        parts += [
            f"## {program.title}\n",
            f"```python\n{program.hook}\n```\n" if program.hook else "It needs no hook.\n",
            *(
                [f"To spare memory ([why]({program.thread})):\n\n```python\n{program.more}\n```\n"]
                if program.more
                else []
            ),
            *(f"- {sentence}" for sentence in told(program, several)),
            *(f"- {', '.join(each.versions)}." for each in several[:1] if each.versions),
            f"- [Documentation]({program.link}); [the whole application that was run]"
            f"(../{program.path.relative_to(ROOT)}).\n",
        ]
    return "\n".join(parts)
