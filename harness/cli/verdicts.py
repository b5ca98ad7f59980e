"""`poolstart verdicts`: which release changed what strikes which strategy."""

from typing import Annotated

import typer


def verdicts(
    releases: Annotated[
        str, typer.Argument(help="A range as asv takes it, 2.0.50..2.1.9; by default all.")
    ] = "releases",
    hazard: Annotated[list[str] | None, typer.Option(help="Only this hazard; several times.")] = None,
    only_record: Annotated[
        bool, typer.Option("--record", help="Put on record what has been tried so far; tries nothing.")
    ] = False,
) -> None:
    """Find the releases that change what strikes which strategy, and write records/verdicts.json.

    The ends of each series are tried in full, then what differs between them, then the releases in between.
    It may be interrupted at any time, keeps what it has tried, and goes on from there, or from the record.

    poolstart verdicts 2.1.0..2.1.9
    """
    # asv takes most of a second to import: only this command pays for it.
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from harness import strategies
    from harness.console import terminal
    from harness.hazards import bisect as sitting
    from harness.hazards import catalogue as hazards
    from harness.postgres import locate
    from harness.releases import interpreters
    from harness.releases.catalogue import catalogue
    from harness.releases.repo import Releases

    known = catalogue()
    hashes = set(Releases("pypi+sqlalchemy", "").get_hashes_from_range(releases))
    chosen = [release.version for release in known.releases if release.hash in hashes]
    begun: list[str] = []
    some = [hazards.load(name) for name in hazard] if hazard else list(hazards.load_all())
    with locate.server() as server:
        sitting.take_up(sitting.load(), server)
        if not only_record:
            with Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
                console=terminal.errors(),
            ) as progress:  # fmt: skip
                task = progress.add_task("", total=len(chosen))

                def report(release: str, left: int) -> None:
                    if release not in begun:
                        begun.append(release)
                    progress.update(
                        task, description=f"{release}, {left} trials left", completed=len(begun) - 1
                    )

                sitting.measure(chosen, some, strategies.IDS, interpreters.of_release, server, report)
        told = sitting.record([release.version for release in known.releases], server, "poolstart verdicts")
    typer.echo(f"written: records/verdicts.json, {len(told.releases)} releases")
