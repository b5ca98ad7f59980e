"""`poolstart history`: every release in one sitting, in turns."""

import shutil
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.system.errors import PoolstartError

console = Console(highlight=False)

USUAL = 12.0
"""Seconds of one block, until one has been measured."""


def history(
    passes: Annotated[int, typer.Option(min=3, help="Blocks of each release.")] = 5,
    releases: Annotated[
        list[str] | None,
        typer.Option(help="A release, or a range as asv takes it, 2.0.50..2.1.9; by default all."),
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Forget the blocks that are there.")] = False,
    only_file: Annotated[
        bool, typer.Option("--file", help="File what has been measured so far; measures nothing.")
    ] = False,
) -> None:
    """Measure all releases in turns, and file the results with asv; goes on where it was interrupted."""
    # asv takes most of a second to import: only this command pays for it.
    from harness.history import measure as sessions
    from harness.lifecycles import profile as profiles
    from harness.postgres import locate
    from harness.releases import interpreters
    from harness.releases.catalogue import catalogue
    from harness.releases.repo import BRANCH, Releases

    known = catalogue()
    ranges = releases or [BRANCH]
    branch = Releases("pypi+sqlalchemy", "")
    hashes = {found for each in ranges for found in branch.get_hashes_from_range(each)}
    chosen = [release for release in known.releases if release.hash in hashes]
    if not chosen:
        raise PoolstartError(
            f"{' '.join(ranges)} names no release", "give a range as asv takes it, the older release first"
        )
    if new:
        shutil.rmtree(sessions.DIRECTORY, ignore_errors=True)
    session = sessions.HistorySession(sessions.DIRECTORY, chosen, passes)
    if only_file:
        raise typer.Exit(sessions.file(session))
    profile = profiles.current()
    with locate.server() as server:
        session.begin(sessions.conditions(server, profile))
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as progress:
            task = progress.add_task("installing", total=len(chosen))
            for release in chosen:
                progress.update(task, description=f"installing {release.version}")
                interpreters.of_release(release.version)
                progress.advance(task)
            blocks = progress.add_task("", total=passes * len(chosen))
            usual = USUAL

            def report(what: str, left: int, seconds: float) -> None:
                nonlocal usual
                usual = 0.9 * usual + 0.1 * seconds if seconds else usual
                remaining = timedelta(seconds=round(left * usual))
                progress.update(
                    blocks,
                    description=f"{what}, {remaining} left",
                    completed=passes * len(chosen) - left,
                )

            sessions.measure(session, server, profile, report)
    raise typer.Exit(sessions.file(session))
