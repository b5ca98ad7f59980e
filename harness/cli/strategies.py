"""`poolstart strategies`: what can be measured, when to choose it, and its code."""

from typing import Annotated

import typer


def strategies(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="STRATEGY", help="Show the code of these.")
    ] = None,
) -> None:
    """List the strategies, or show their code; measures nothing."""
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from rich.markdown import Markdown

    from harness import strategies as known
    from harness.answer import recommendation, strategies_page
    from harness.console import terminal

    if names:
        for name in known.named(names):
            terminal.output().print(Markdown(strategies_page.section(known.get(name)).partition("\n\n")[2]))
    else:
        console = terminal.output()
        for strategy in known.CATALOGUE + known.FURTHER:
            terminal.say(console, f"{strategy.id}{'' if strategy.safe else ' (not safe)'}: {strategy.title}")
            terminal.say(console, f"    {recommendation.use_when(strategy)}\n")
