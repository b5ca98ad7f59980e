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
    from harness.answer import recommendation, strategies_page, verdicts
    from harness.console import terminal

    recorded = verdicts.load()
    if names:
        for name in known.named(names):
            terminal.output().print(
                Markdown(strategies_page.section(known.get(name), recorded).partition("\n\n")[2])
            )
    else:
        console = terminal.output()
        for strategy in known.CATALOGUE + known.FURTHER:
            worst = recorded.worst(strategy.id, recorded.newest_release)
            terminal.print_text(console, f"{strategy.id}: {strategy.title}")
            terminal.print_text(console, f"    {recommendation.use_when(strategy)}")
            terminal.print_text(console, f"    Worst outcome that was provoked: {worst}.\n")
