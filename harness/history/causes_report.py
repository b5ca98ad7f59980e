"""An explanation in words and tables, as lines of at most 80 columns."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from harness import strategies
from harness.counts import registry
from harness.counts.observe import PHASES, START
from harness.counts.report import changed
from harness.drivers import upgrade_note
from harness.history.causes import GENERATIONS, Change, Explanation

WIDTH = 80

FIGURES = 17
"""Columns of the numbers before and after."""

MAX_ENTRIES = 8
"""Entries of a list; `--json` has more."""

TITLES = dict(zip(PHASES, ("the imports", "the first query", "the second query"), strict=True))


def lines(explanation: Explanation) -> Iterator[str]:
    """The summary, then the tables that it is based on."""
    before, after = explanation.before, explanation.after
    yield f"{explanation.strategy}: SQLAlchemy {after} against {before}, Python {explanation.python}"
    yield explanation.changelog
    yield from textwrap.wrap(upgrade_note(before, after), WIDTH)
    for sentence in summary(explanation):
        yield from textwrap.wrap(sentence, WIDTH, initial_indent="- ", subsequent_indent="  ")
    yield from table("Bytes of code by package", explanation.packages)
    yield from table("Modules added, bytes of code", explanation.modules_added)
    yield from table("Modules left out, bytes of code", explanation.modules_left_out)
    yield from table("Modules changed, bytes of code", explanation.modules_changed)
    for phase in PHASES:
        yield from table(f"Calls in {TITLES[phase]}, by module", explanation.calls_by_module[phase])
        yield from table(f"Calls in {TITLES[phase]}, by function", explanation.calls[phase])
    for change, statements in (
        ("added", explanation.statements_added),
        ("left out", explanation.statements_left_out),
    ):
        for query, texts in statements.items():
            if texts:
                yield from ("", f"Statements {change} in {TITLES[query]}")
                yield from (textwrap.shorten(text, WIDTH - 2, placeholder=" ...") for text in texts)
    yield from table("Bytes held after the second row, by module", explanation.held)


def summary(explanation: Explanation) -> list[str]:
    """The most important changes, a sentence each."""
    sentences = []
    if explanation.compiled[0] != explanation.compiled[1]:
        had, has = [("without", "with")[compiled] for compiled in explanation.compiled]
        sentences.append(
            f"SQLAlchemy runs {has} its C extensions, {explanation.before} {had}: another program"
        )
    figures = {name: (before, after) for name, before, after in explanation.figures}
    sentences += [
        changed(count.id, *figures[count.id]) for count in registry.of_work() if count.id in figures
    ]
    for phase in PHASES:
        if explanation.calls[phase] and f"calls_{phase}" not in figures:
            sentences.append(f"other Python calls in {TITLES[phase]} than before")
    for module, before, after in explanation.held[:2]:
        sentences.append(f"{after - before:+.0f} bytes held by {module}")
    sentences += [collections(explanation, phase) for phase in explanation.collections]
    return sentences or ["a worker does exactly the same: no count explains a step"]


def collections(explanation: Explanation, phase: str) -> str:
    """How the garbage collections of a phase changed, and whether SQLAlchemy's work there changed too."""
    changes = ", ".join(
        f"{after - before:+d} {generation}"
        for generation, before, after in zip(GENERATIONS, *explanation.collections[phase], strict=True)
        if after != before
    )
    if phase in explanation.collector_alone:
        why = "; the collector alone: SQLAlchemy's own work there did not change"
    else:
        why = ", beside other work" if explanation.work_changed(phase) else ""
    forkserver = strategies.get(explanation.strategy).start_method == "forkserver"
    where = f"{TITLES[phase]}, the fork server's included" if forkserver and phase == START else TITLES[phase]
    return f"garbage collections in {where}: {changes}{why}"


def table(title: str, changes: Sequence[Change]) -> Iterable[str]:
    """A table of numbers before and after; no lines if nothing changed."""
    if not changes:
        return
    room = WIDTH - FIGURES - 10
    yield ""
    yield f"{title:<{room}}{'before':>9}{'after':>9}{'change':>9}"
    for name, before, after in changes[:MAX_ENTRIES]:
        yield f"{shortened(name, room - 1):<{room}}{before:>9.0f}{after:>9.0f}{after - before:>+9.0f}"
    if len(changes) > MAX_ENTRIES:
        yield f"... and more: {len(changes) - MAX_ENTRIES} in --json"


def shortened(name: str, room: int) -> str:
    """The end of a long name, which says more than its beginning."""
    return name if len(name) <= room else "..." + name[3 - room :]
