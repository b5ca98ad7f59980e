"""`poolstart strategies`: what can be measured, when to choose it, and its code."""

from typing import Annotated

import typer

from harness.cli import complete
from harness.cli.options import AsCsv, AsJson, AsMarkdown, chosen_format


def strategies(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STRATEGY", help="Show the code of these.", autocompletion=complete.strategies
        ),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_markdown: AsMarkdown = False,
) -> None:
    """List the strategies, or show their code; measures nothing."""
    form = chosen_format(as_json, as_csv, as_markdown)
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness import strategies as known
    from harness.answer import strategies_page, verdicts

    recorded = verdicts.load()
    ids = known.named(names) if names else known.GROUPS["all"]
    strategies_page.write([known.get(name) for name in ids], recorded, form, code=bool(names))
