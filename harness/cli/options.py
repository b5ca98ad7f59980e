"""Options that several commands share."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from harness.cli import complete
from harness.drivers import DRIVERS as CATALOGUE
from harness.system.errors import PoolstartError

DRIVERS = tuple(driver.name for driver in CATALOGUE)

Strategies = Annotated[
    list[str] | None,
    typer.Option(
        "--strategy",
        help="Only this one: an id of the catalogue, or package.module:NAME. May be repeated.",
        autocompletion=complete.strategies,
    ),
]

Dataframe = Annotated[
    str,
    typer.Option(
        help="The DataFrame that the parent holds: none, large or both.",
        autocompletion=complete.of(("none", "large", "both")),
    ),
]

FORMATS = {
    "as_json": ("--json", "As JSON: seconds and bytes, with the conditions."),
    "as_csv": ("--csv", "As CSV, with a line of titles: seconds and bytes."),
    "as_markdown": ("--markdown", "As Markdown, to paste into an issue."),
}
"""The options of a command that prints a table: by parameter, the option and its help."""


def formatted(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `FORMATS` in place of its parameter `form`.

    `form` is `json`, `csv` or `markdown`; `table` for people. See `harness.console.output`.
    """
    signature = inspect.signature(command)
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=False,
            annotation=Annotated[bool, typer.Option(option, help=text)],
        )
        for name, (option, text) in FORMATS.items()
    ]
    parameters = [
        each
        for known in signature.parameters.values()
        for each in (options if known.name == "form" else [known])
    ]

    @functools.wraps(command)
    def run(**given: Any) -> None:
        chosen = [option for name, (option, _) in FORMATS.items() if given.pop(name)]
        if len(chosen) > 1:
            raise PoolstartError(f"{' and '.join(chosen)} exclude one another", "choose one of them")
        command(**given, form=chosen[0].removeprefix("--") if chosen else "table")

    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def dataframes(name: str) -> tuple[str, ...]:
    """The DataFrame settings that the option's value stands for."""
    from harness.lifecycles.cell import DATAFRAMES

    if name not in (*DATAFRAMES, "both"):
        raise typer.BadParameter(f"{name} is none of {', '.join(DATAFRAMES)}, both")
    return DATAFRAMES if name == "both" else (name,)


def exclude(option: str, others: Mapping[str, object]) -> None:
    """Raise `PoolstartError` if any of `others`, values by option, is given besides `option`."""
    given = [name for name, value in others.items() if value]
    if given:
        raise PoolstartError(f"{option} excludes {' and '.join(given)}", "leave out one or the other")


def before(subcommand: str, form: str) -> None:
    """Raise `PoolstartError` if a format stands before a subcommand, where it has no effect."""
    if form != "table":
        raise PoolstartError(
            f"--{form} stands before {subcommand}, where it means nothing", f"write it after {subcommand}"
        )
