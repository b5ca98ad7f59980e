"""`poolstart hazards`: the table of verdicts, and each hazard's fix and story."""

from typing import Annotated

import typer

from harness import drivers
from harness.cli import complete
from harness.cli.options import DRIVERS, Strategies, exclude, formatted


@formatted
def hazards(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HAZARD",
            help="Only these, each with its fix and its story. By default all.",
            autocompletion=complete.hazards,
        ),
    ] = None,
    strategy: Strategies = None,
    repeat: Annotated[int, typer.Option(min=1, help="Trials of each verdict; all must agree.")] = 1,
    driver: Annotated[
        str,
        typer.Option(
            help="The driver of the engines; by default that of POOLSTART_DRIVER, or psycopg2.",
            autocompletion=complete.of(DRIVERS),
        ),
    ] = "",
    load: Annotated[bool, typer.Option("--load", help="Keep every core but one busy meanwhile.")] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="List the hazards with the verdicts on record; try nothing.")
    ] = False,
    text: Annotated[
        str,
        typer.Option("--search", metavar="TEXT", help="Find the hazards of an error message or a stack."),
    ] = "",
    form: str = "table",
) -> None:
    """Provoke what goes wrong under each strategy; exit status 1 when a verdict is not the expected one.

    --csv has a row a hazard and strategy: sqlalchemy, driver, server, hazard,
    severity, strategy, verdict, expected, trials, affected, survives,
    not_applicable, not_tried, no_result, reason. From trials on they are counts.
    """
    trials = {"HAZARD": names, "--strategy": strategy, "--repeat": repeat > 1, "--load": load}
    if text:
        exclude("--search", {**trials, "--list": listed, f"--{form}": form != "table"})
        from harness.search import report

        report.show(text)
        return
    if listed:
        exclude("--list", trials)
        from harness.hazards import view

        view.write_list(form, drivers.choose(driver))
        return
    # Half a second, because of SQLAlchemy: only this command pays for it.
    from harness import strategies
    from harness.answer import program_lines, verdicts
    from harness.answer.combinations.combination import Combination
    from harness.console.progress import progress
    from harness.hazards import catalogue, matrix, view
    from harness.hazards import expected as record
    from harness.lifecycles import profile
    from harness.postgres import locate
    from harness.processes import load as loads
    from harness.records.provenance import Provenance

    used = drivers.choose(driver)
    chosen = tuple(map(catalogue.load, dict.fromkeys(names))) if names else catalogue.tried_with(used)
    ids = tuple(dict.fromkeys(profile.known(strategy, "--strategy"))) if strategy else strategies.IDS
    recorded = verdicts.load(driver=used.name) if names else None
    variant = Combination(used).variant()
    fixes = {each.id: program_lines.fix(recorded, each, variant) for each in chosen} if recorded else {}
    table = view.VerdictView(chosen, ids)
    with (
        progress("starting PostgreSQL") as steps,
        loads.all_but_one(load),
        locate.server(driver=True) as server,
    ):
        count = table.counting(steps, repeat)
        outcomes = matrix.measure(server, chosen, ids, count, repeat, driver=used, conditions=repeat == 1)
        provenance = Provenance.here(server.identity, driver=used.label)
    surprises = table.tally.surprises(record.expected(driver=used.name))
    view.write(table, outcomes, provenance, surprises, form, fixes=fixes, server=server.title)
    raise typer.Exit(1 if surprises else 0)
