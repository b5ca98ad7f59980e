"""Options that mean the same wherever they are given."""

from typing import Annotated

import typer

Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        help="Only this one: an id of the catalogue, or package.module:NAME. May be given several times.",
    ),
]

Dataframe = Annotated[str, typer.Option(help="What is resident in the parent: none, large or both.")]

AsJson = Annotated[bool, typer.Option("--json", help="As JSON: seconds and bytes, with the conditions.")]

AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV, in the columns named above: seconds and bytes.")]


def dataframes(name: str) -> tuple[str, ...]:
    """The settings that a user has named."""
    from harness.lifecycles.cell import DATAFRAMES

    if name not in (*DATAFRAMES, "both"):
        raise typer.BadParameter(f"{name} is none of {', '.join(DATAFRAMES)}, both")
    return DATAFRAMES if name == "both" else (name,)


def chosen_format(as_json: bool, as_csv: bool) -> str:
    """`json`, `csv`, or `table` for people."""
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude one another")
    return "json" if as_json else "csv" if as_csv else "table"
