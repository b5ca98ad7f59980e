"""`poolstart strategies`: the strategies, when to choose each, and their code."""

from typing import Annotated

import typer

from harness import drivers
from harness.cli import complete
from harness.cli.options import DRIVERS, formatted


@formatted
def strategies(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STRATEGY", help="Show the code of these.", autocompletion=complete.strategies
        ),
    ] = None,
    driver: Annotated[
        str,
        typer.Option(
            help=f"Show them with this driver: {', '.join(DRIVERS)}.", autocompletion=complete.of(DRIVERS)
        ),
    ] = "",
    python: Annotated[
        str,
        typer.Option(
            help="Show them under this Python: 3.11 to 3.14.",
            autocompletion=complete.of(("3.11", "3.12", "3.13", "3.14")),
        ),
    ] = "",
    pooler: Annotated[
        str,
        typer.Option(
            help="Show them behind PgBouncer in this mode: session or transaction.",
            autocompletion=complete.of(("session", "transaction")),
        ),
    ] = "",
    form: str = "table",
) -> None:
    """List the strategies, or show their code; measures nothing.

    With a driver (or POOLSTART_DRIVER), a Python or a pooler: show the
    recommended strategies with the verdicts, costs and code that are on record
    for these.
    """
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness import strategies as known
    from harness.answer import strategies_page, verdicts

    used = drivers.get(driver) if driver else drivers.current()
    if driver or python or pooler or used != drivers.MEASURED:
        from harness.answer.combinations import combination, records, report

        wanted = combination.named(used.name, python, pooler)
        report.write(records.load(), wanted, known.named(names) if names else (), form)
        return
    recorded = verdicts.load()
    ids = known.named(names) if names else known.GROUPS["all"]
    strategies_page.write([known.get(name) for name in ids], recorded, form, code=bool(names))
