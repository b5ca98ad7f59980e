"""The output of a command in the form that the user chose: tables, JSON, CSV or Markdown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from harness.console import terminal


def write(
    form: str,
    rows: Iterable[Mapping[str, Any]],
    show: Callable[[], None],
    content: object | None = None,
    columns: Sequence[str] = (),
) -> None:
    """Print `rows` as `csv`, or what `show` prints as `table` or `markdown`.

    `json` is `content`, or the rows if there is none. `columns` are those of `csv`, by default the keys of
    the first row.
    """
    match form:
        case "json":
            terminal.print_json(list(rows) if content is None else content)
        case "csv":
            known = list(rows)
            terminal.print_csv(columns or list(next(iter(known), {})), known)
        case "markdown":
            with terminal.as_markdown():
                show()
        case _:
            show()
