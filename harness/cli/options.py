"""Options that mean the same wherever they are given."""

from collections.abc import Mapping
from typing import Annotated

import typer

from harness.cli import complete
from harness.system.errors import PoolstartError

Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        help="Only this one: an id of the catalogue, or package.module:NAME. May be given several times.",
        autocompletion=complete.strategies,
    ),
]

Dataframe = Annotated[
    str,
    typer.Option(
        help="What is resident in the parent: none, large or both.",
        autocompletion=complete.of(("none", "large", "both")),
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="As JSON: seconds and bytes, with the conditions.")]

AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV, with a line of titles: seconds and bytes.")]

AsMarkdown = Annotated[bool, typer.Option("--markdown", help="As Markdown, to paste into an issue.")]


def dataframes(name: str) -> tuple[str, ...]:
    """The settings that a user has named."""
    from harness.lifecycles.cell import DATAFRAMES

    if name not in (*DATAFRAMES, "both"):
        raise typer.BadParameter(f"{name} is none of {', '.join(DATAFRAMES)}, both")
    return DATAFRAMES if name == "both" else (name,)


def chosen_format(as_json: bool, as_csv: bool, as_markdown: bool) -> str:
    """`json`, `csv` or `markdown`; `table` for people. See `harness.console.output`."""
    forms = [
        form for form, chosen in (("json", as_json), ("csv", as_csv), ("markdown", as_markdown)) if chosen
    ]
    if len(forms) > 1:
        names = " and ".join(f"--{form}" for form in forms)
        raise PoolstartError(f"{names} exclude one another", "choose one of them")
    return forms[0] if forms else "table"


def exclude(one: str, others: Mapping[str, object]) -> None:
    """Refuse what means nothing beside `one`: the options and arguments `others`, values by name."""
    given = [name for name, value in others.items() if value]
    if given:
        raise PoolstartError(f"{one} excludes {' and '.join(given)}", "leave out one or the other")


def before(subcommand: str, as_json: bool, as_csv: bool, as_markdown: bool) -> None:
    """Refuse a format in front of a subcommand, where it would mean nothing."""
    if (form := chosen_format(as_json, as_csv, as_markdown)) != "table":
        raise PoolstartError(
            f"--{form} stands before {subcommand}, where it means nothing", f"write it after {subcommand}"
        )
