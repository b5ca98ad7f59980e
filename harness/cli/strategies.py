"""`poolstart strategies`: what can be measured, when to choose it, and its code."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown

from harness import strategies as known
from harness.shown import choices

console = Console(highlight=False)


def strategies(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[STRATEGY]...", help="Show the code of these.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write docs/strategies.md instead.")] = False,
) -> None:
    """List the strategies, or show their code; measures nothing."""
    if write:
        choices.write()
    elif names:
        for name in known.named(names):
            console.print(Markdown(choices.section(known.get(name)).partition("\n\n")[2]))
    else:
        for strategy in known.CATALOGUE + known.FURTHER:
            console.print(
                f"[bold]{strategy.id}[/bold]{'' if strategy.safe else ' (not safe)'}: {strategy.title}"
            )
            console.print(f"    {strategy.choose}\n")
