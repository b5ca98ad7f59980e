"""The output of a command in the form that the user chose: tables, JSON, CSV or Markdown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from harness.console import terminal


def write(
    form: str,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    show: Callable[[], None],
    content: object | None = None,
) -> None:
    """Print `rows` under `columns` as `csv`, or what `show` prints as `table` or `markdown`.

    `json` is `content`, or the rows if there is none.
    """
    match form:
        case "json":
            terminal.print_json(list(rows) if content is None else content)
        case "csv":
            terminal.print_csv(columns, rows)
        case "markdown":
            with terminal.as_markdown():
                show()
        case _:
            show()
