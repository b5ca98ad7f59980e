"""Markdown: tables, code in sentences, and the regions of a page that a command writes."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from harness.system.errors import PoolstartError

END = "<!-- end -->"

CODE = re.compile("`([^`]*)`")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, figures: int | None = None) -> str:
    """A table; the columns from number `figures` on are aligned to the right."""
    left = len(header) if figures is None else figures
    rule = ["---"] * left + ["---:"] * (len(header) - left)
    lines = [[cell.replace("|", "\\|") for cell in row] for row in (header, rule, *rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plain(text: str) -> str:
    """Text without the marks of code, for a terminal."""
    return CODE.sub(r"\1", text)


def html(text: str) -> str:
    """Text as HTML, with its code marked."""
    return CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def with_region(path: Path, name: str, text: str) -> str:
    """The text of a page with `text` between the marks of the region `name`, and the rest as it is.

    Raises PoolstartError unless both marks are in the page once.
    """
    begin = f"<!-- {name} -->"
    try:
        page = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise PoolstartError(f"{path} cannot be read: {reason}", "restore it with git") from None
    before, mark, rest = page.partition(begin)
    inside, end, after = rest.partition(END)
    remedy = f"give it one line {begin}, and behind it one {END}"
    if not mark:
        raise PoolstartError(f"{path.name} has no mark {begin}", remedy)
    # Another region that begins before this one ends would be lost with it.
    if not end or "<!--" in inside:
        raise PoolstartError(f"{path.name} has no mark {END} for {begin}", remedy)
    if begin in after:
        raise PoolstartError(f"{path.name} has the mark {begin} twice", remedy)
    return f"{before}{begin}\n{text.rstrip()}\n{END}{after}"
