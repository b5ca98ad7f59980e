"""The terminal: tables that keep every figure whole, data for programs, and what is being done meanwhile.

Standard output has what was asked for, standard error what is being done. A table that is wider than the
terminal goes on below, under the names of its rows; nothing in it is ever cut.
"""

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

Cell = str | Text

GAP = 2
"""Between two columns."""

TITLE = 11
"""Of a column of figures: characters in a line."""


def output() -> Console:
    """Standard output. What is shown may have brackets in it: they are no markup."""
    return Console(highlight=False, markup=False, emoji=False)


def errors() -> Console:
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(console: Console, text: str) -> None:
    """A sentence: wrapped at words in a terminal, one line in a pipe, where it may be searched for."""
    console.print(text, soft_wrap=not console.is_terminal)


def show(
    console: Console,
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    title: str = "",
    left: int = 1,
    keys: int = 1,
    gap: int = GAP,
) -> None:
    """Print a table, see `tables`."""
    if title:
        console.print(Text(title, style="bold"))
    for table in tables(header, rows, console.width, left=left, keys=keys, gap=gap):
        console.print(table)
        console.print()


def tables(
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    width: int,
    *,
    left: int = 1,
    keys: int = 1,
    gap: int = GAP,
) -> list[Table]:
    """A table in as many parts as `width` needs: the columns that find no room follow below.

    The first `keys` columns stand in each part. The first `left` columns are texts, the others figures.
    """
    made = []
    for chosen in bands(header, rows, width, keys=keys, gap=gap):
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
        for column in chosen:
            table.add_column(
                Text(header[column]), justify="left" if column < left else "right", overflow="fold"
            )
        for row in rows:
            table.add_row(*(Text.assemble(row[column]) for column in chosen))
        made.append(table)
    return made


def bands(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], width: int, *, keys: int = 1, gap: int = GAP
) -> list[list[int]]:
    """The columns of a table, shared out so that each part is no wider than `width`."""
    widths = [
        max(cell_len(line) for row in (header, *rows) for line in str(row[column]).split("\n"))
        for column in range(len(header))
    ]
    fixed = list(range(keys))
    taken = sum(widths[:keys]) + gap * (keys - 1)
    found: list[list[int]] = []
    used = width + 1
    for column in range(keys, len(header)):
        if used + gap + widths[column] > width:
            found.append([*fixed])
            used = taken
        found[-1].append(column)
        used += gap + widths[column]
    return found or [fixed]


def folded(title: str) -> str:
    """A title in lines that are no wider than most figures."""
    return "\n".join(wrap(title, TITLE))


def listed(console: Console, pairs: Iterable[tuple[str, str]]) -> None:
    """Names, and beside each what is to be said of it."""
    known = list(pairs)
    indent = max((cell_len(name) for name, _ in known), default=0) + GAP
    for name, text in known:
        first = f"{name:<{indent}}"
        width = console.width if console.is_terminal else len(first) + len(text)
        told = wrap(text, width, initial_indent=first, subsequent_indent=" " * indent)
        console.print("\n".join(told), soft_wrap=True)


def print_json(content: object) -> None:
    print(json.dumps(content, indent=2))


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows with these columns and no other; an unknown value is empty."""
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
