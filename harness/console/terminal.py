"""The terminal: tables whose figures are never cut, sentences, and data for other programs.

Standard output has the results, standard error the progress. A table that is wider than the terminal
continues below, with the names of its rows repeated.
"""

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import isfinite
from textwrap import wrap
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.console import markdown

Cell = str | Text

GAP = 2
"""Characters between two columns."""

TITLE_WIDTH = 11
"""Characters in a line of a column's title."""


class MarkdownConsole(Console):
    """Standard output for Markdown: tables, headings, lists and paragraphs instead of columns."""


_console: ContextVar[type[Console]] = ContextVar("console", default=Console)


def output() -> Console:
    """Standard output. Text may contain brackets: they are not markup."""
    return _console.get()(highlight=False, markup=False, emoji=False)


@contextmanager
def as_markdown() -> Iterator[None]:
    """A context in which the functions of this module print Markdown on `output()`."""
    token = _console.set(MarkdownConsole)
    try:
        yield
    finally:
        _console.reset(token)


def errors() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def print_text(console: Console, text: Cell) -> None:
    """Print a sentence: wrapped at words in a terminal, on one line in a pipe, so that grep can find it."""
    if isinstance(console, MarkdownConsole):
        print(f"{str(text).strip()}\n")
        return
    console.print(text, soft_wrap=not console.is_terminal)


def print_heading(console: Console, text: str) -> None:
    """Print the title of what follows."""
    if isinstance(console, MarkdownConsole):
        print(f"**{text}**\n")
    else:
        console.print(Text(text, style="bold"))


def print_code(console: Console, code: str) -> None:
    """Print a program, ready to copy."""
    if isinstance(console, MarkdownConsole):
        print(f"```python\n{code.strip()}\n```\n")
    else:
        console.print(f"\n{code.strip()}\n", soft_wrap=True)


def print_markdown(console: Console, text: str) -> None:
    """Print Markdown: as it is for Markdown, otherwise laid out."""
    if isinstance(console, MarkdownConsole):
        print(text)
    else:
        # Imported here, because it imports a parser and highlighters.
        from rich.markdown import Markdown

        console.print(Markdown(text))


def print_table(
    console: Console,
    header: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    title: str = "",
    left: int = 1,
    gap: int = GAP,
) -> None:
    """Print a table in as many parts as the terminal requires: columns that do not fit continue below.

    The first `left` columns are text, the others figures.
    """
    if title:
        print_heading(console, title)
    if isinstance(console, MarkdownConsole):
        lines = [[" ".join(str(cell).split()) for cell in row] for row in (header, *rows)]
        print(markdown.table(lines[0], lines[1:], figures=left))
        return
    for columns in bands(header, rows, console.width, gap=gap):
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap - 1, 0, 0))
        for column in columns:
            table.add_column(
                Text(header[column]), justify="left" if column < left else "right", overflow="fold"
            )
        for row in rows:
            table.add_row(*(Text.assemble(row[column]) for column in columns))
        console.print(table)
        console.print()


def bands(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], width: int, *, gap: int = GAP
) -> list[list[int]]:
    """The numbers of the columns in each part of a table: the first, and as many others as fit in `width`."""
    widths = [
        max(cell_len(line) for row in (header, *rows) for line in str(row[column]).split("\n"))
        for column in range(len(header))
    ]
    parts: list[list[int]] = []
    used = width + 1
    for column in range(1, len(header)):
        if used + gap + widths[column] > width:
            parts.append([0])
            used = widths[0]
        parts[-1].append(column)
        used += gap + widths[column]
    return parts or [[0]]


def fold(title: str) -> str:
    """A column's title, broken into lines that are no wider than most figures."""
    return "\n".join(wrap(title, TITLE_WIDTH))


def print_pairs(console: Console, pairs: Iterable[tuple[str, str]]) -> None:
    """Print names, with a text beside each."""
    known = list(pairs)
    if isinstance(console, MarkdownConsole):
        print("".join(f"- {name.strip()}: {text}\n" for name, text in known))
        return
    indent = max((cell_len(name) for name, _ in known), default=0) + GAP
    for name, text in known:
        first = f"{name:<{indent}}"
        width = console.width if console.is_terminal else len(first) + len(text)
        lines = wrap(text, width, initial_indent=first, subsequent_indent=" " * indent)
        console.print("\n".join(lines), soft_wrap=True)


def print_json(content: object) -> None:
    """Print data as JSON, paths as text; a number that is not finite, which JSON cannot express, as null."""
    print(json.dumps(finite(content), indent=2, default=os.fspath, allow_nan=False))


def finite(content: object) -> object:
    """The data with None in place of numbers that are not finite."""
    match content:
        case float():
            return content if isfinite(content) else None
        case Mapping():
            return {name: finite(value) for name, value in content.items()}
        case list() | tuple():
            return [finite(value) for value in content]
        case _:
            return content


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows with exactly these columns; an unknown value is empty."""
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
