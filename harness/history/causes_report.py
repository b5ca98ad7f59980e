"""An explanation as lines of at most 80 columns."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from harness import strategies
from harness.counts.count import PHASES
from harness.counts.report import COUNTED, changed
from harness.history.causes import GENERATIONS, Change, Explanation

WIDTH = 80

FIGURES = 17
"""Columns of a number before and a number after."""

SHOWN = 8
"""Entries of a list; `--json` has more."""

TITLES = dict(zip(PHASES, ("the imports", "the first query", "the second query"), strict=True))


def lines(found: Explanation) -> Iterator[str]:
    """The cause in short, then what it is made of."""
    yield f"{found.strategy}: SQLAlchemy {found.after} against {found.before}, Python {found.python}"
    yield found.changelog
    for sentence in summary(found):
        yield from textwrap.wrap(sentence, WIDTH, initial_indent="- ", subsequent_indent="  ")
    yield from listed("Bytes of code by package", found.packages)
    yield from listed("Modules added, bytes of code", found.modules_added)
    yield from listed("Modules left out, bytes of code", found.modules_left_out)
    yield from listed("Modules changed, bytes of code", found.modules_changed)
    for phase in PHASES:
        yield from listed(f"Calls in {TITLES[phase]}, by module", found.calls_by_module[phase])
        yield from listed(f"Calls in {TITLES[phase]}, by function", found.calls[phase])
    for what, statements in (("added", found.statements_added), ("left out", found.statements_left_out)):
        for phase, texts in statements.items():
            if texts:
                yield from ("", f"Statements {what} in {TITLES[phase]}")
                yield from (textwrap.shorten(text, WIDTH - 2, placeholder=" ...") for text in texts)
    yield from listed("Bytes held after the second row, by module", found.held)


def summary(found: Explanation) -> list[str]:
    """Sentences: what is most worth knowing."""
    said = []
    if found.compiled[0] != found.compiled[1]:
        how = [("without", "with")[compiled] for compiled in found.compiled]
        said.append(f"SQLAlchemy runs {how[1]} its C extensions, {found.before} {how[0]}: another program")
    figures = {name: (was, now) for name, was, now in found.figures}
    said += [changed(name, *figures[name]) for name in COUNTED if name in figures]
    for phase in PHASES:
        if found.calls[phase] and f"calls_{phase}" not in figures:
            said.append(f"other Python calls in {TITLES[phase]} than before")
    for module, was, now in found.held[:2]:
        said.append(f"{now - was:+.0f} bytes held by {module}")
    for phase, (before, after) in found.collections.items():
        moved = ", ".join(
            f"{now - was:+d} {name}"
            for name, was, now in zip(GENERATIONS, before, after, strict=True)
            if now != was
        )
        if phase in found.collector_alone:
            why = "; SQLAlchemy does there what it did before: the collector alone, and no change of its work"
        else:
            why = ", beside other work" if found.work_changed(phase) else ""
        forks = phase == PHASES[0] and strategies.get(found.strategy).start_method == "forkserver"
        where = f"{TITLES[phase]}, the fork server's included" if forks else TITLES[phase]
        said.append(f"garbage collections in {where}: {moved}{why}")
    return said or ["a worker does exactly the same: nothing that is counted explains a step"]


def listed(title: str, changes: Sequence[Change]) -> Iterable[str]:
    """A table of before and after; nothing without changes."""
    if not changes:
        return
    room = WIDTH - FIGURES - 10
    yield ""
    yield f"{title:<{room}}{'before':>9}{'after':>9}{'change':>9}"
    for name, was, now in changes[:SHOWN]:
        yield f"{shortened(name, room - 1):<{room}}{was:>9.0f}{now:>9.0f}{now - was:>+9.0f}"
    if len(changes) > SHOWN:
        yield f"... and more: {len(changes) - SHOWN} in --json"


def shortened(name: str, room: int) -> str:
    """The end of a name tells more than its beginning."""
    return name if len(name) <= room else "..." + name[3 - room :]
