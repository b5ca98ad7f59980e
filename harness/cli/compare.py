"""`poolstart compare`: a release, a checkout, a wheel or a folder against another, measured in turns."""

import json
import re
import shutil
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from harness.outside import profile as profiles
from harness.outside.cell import DATAFRAMES
from harness.outside.versus import METRICS, Comparison, Row, Side
from harness.postgres import locate
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.memory import MIB

console = Console(highlight=False)

DIRECTORY = ROOT / ".asv" / "compare"

TITLES = {
    "time_to_first_row": "first row",
    "startup": "startup",
    "first_query": "first query",
    "second_query": "second query",
    "uss": "unique MiB",
}

STRATEGY, SQLALCHEMY = "strategy", "sqlalchemy"


def compare(
    first: Annotated[str, typer.Argument(help="A release, a folder, a wheel, or what pip understands.")],
    second: Annotated[str, typer.Argument(help="What is held against it.")],
    vary: Annotated[
        str, typer.Option(help="What the two are versions of: sqlalchemy, strategy, or a package.")
    ] = SQLALCHEMY,
    strategy: Annotated[
        list[str] | None, typer.Option(help="Only this one; may be repeated. By default all.")
    ] = None,
    dataframe: Annotated[
        str, typer.Option(help="What is resident in the parent: none, large or both.")
    ] = "none",
    pairs: Annotated[int, typer.Option(min=6, help="Measure each at least so many times.")] = 10,
    minutes: Annotated[float, typer.Option(min=0, help="Stop then, however wide the intervals.")] = 10,
    tolerate: Annotated[str, typer.Option(help="How much worse is no reason to fail.")] = "3%",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Measure two things in turns, and say which figures differ; exit status 1 where one got worse."""
    # scipy and asv take a second to import: only this command pays for it.
    from harness.outside import versus

    if dataframe not in (*DATAFRAMES, "both"):
        raise typer.BadParameter(f"{dataframe} is none of none, large, both")
    limit = part(tolerate)
    settings = DATAFRAMES if dataframe == "both" else (dataframe,)
    profile = profiles.current()
    chosen = profiles.known(strategy, "--strategy") if strategy else profile.strategies
    for text in (first, second):
        named(text, vary)
    # Progress is no part of what a program reads.
    progress = Console(stderr=True, highlight=False)
    with progress.status("installing") as status, locate.server() as server:
        found = versus.compare(
            side(first, vary, chosen),
            side(second, vary, chosen),
            server,
            profile,
            dataframes=settings,
            pairs=pairs,
            budget=60 * minutes,
            tolerate=limit,
            report=status.update,
        )
    if as_json:
        print(json.dumps(asdict(found), indent=2, default=str))
    else:
        show(found, settings)
    if any(row.worse(limit) for row in found.rows) or found.rejected or not found.rows:
        raise typer.Exit(1)


def part(text: str) -> float:
    """`3%` or `0.03` as a part of one."""
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", text.strip())
    if not number:
        raise typer.BadParameter(f"{text} is no share: give one as 3% or 0.03")
    return float(number[1]) / (100 if number[2] else 1)


def named(text: str, vary: str) -> None:
    """Raise `PoolstartError` for what cannot be one side, before anything is installed."""
    from harness.releases.catalogue import catalogue

    if vary == STRATEGY:
        profiles.known([text], "--vary strategy")
    elif vary != SQLALCHEMY or catalogue().position(text) is None:
        requirement(text, vary)


def side(text: str, vary: str, strategies: tuple[str, ...]) -> Side:
    """What the user named, installed."""
    from harness.releases import history, installed
    from harness.releases.catalogue import catalogue

    if vary == STRATEGY:
        newest = catalogue().newest.version
        return Side(text, newest, history.interpreter(newest), profiles.known([text], "--vary strategy"))
    packages = history.packages()
    if vary == SQLALCHEMY and (position := catalogue().position(text)) is not None:
        release = catalogue().releases[position].version
        return Side(text, release, history.interpreter(release), strategies)
    requirements = {name: f"{name}=={version}" for name, version in packages.items()}
    requirements[SQLALCHEMY] = f"{SQLALCHEMY}=={catalogue().newest.version}"
    requirements[vary] = requirement(text, vary)
    wanted = sorted(requirements.values())
    home = DIRECTORY / sha256("\n".join(wanted).encode()).hexdigest()[:12]
    local = Path(text).exists()
    if local:
        # What is in it may have changed since.
        shutil.rmtree(home, ignore_errors=True)
    python = installed.python_with(wanted, home, refresh=vary if local else "")
    return Side(text, installed.release_of(python), python, strategies)


def requirement(text: str, package: str) -> str:
    """What pip is asked for: a version, a folder or a wheel of the package, or what the user wrote."""
    path = Path(text)
    if path.is_dir() and not any((path / name).exists() for name in ("pyproject.toml", "setup.py")):
        raise PoolstartError(f"{text} holds no pyproject.toml or setup.py", "name the folder that does")
    if path.exists():
        return f"{package} @ {path.resolve().as_uri()}"
    if re.fullmatch(r"v?\d[\w.+!-]*", text):
        return f"{package}=={text}"
    if "@" in text or re.match(rf"{re.escape(package)}\s*[=<>~!]", text, re.IGNORECASE):
        return text
    raise PoolstartError(
        f"{text} is no release, and there is no such folder or wheel",
        f"give one, or what pip understands: '{package} @ git+https://...'",
    )


def show(found: Comparison, settings: tuple[str, ...]) -> None:
    for setting in settings:
        table = Table(
            title=f"{found.second.name} against {found.first.name}, dataframe {setting}",
            box=box.SIMPLE_HEAD,
            padding=(0, 1, 0, 0),
        )
        table.add_column("")
        for title in ("before", "after", "ratio", "99 % interval"):
            table.add_column(title, justify="right", no_wrap=True)
        table.add_column("verdict", no_wrap=True)
        for metric, title in TITLES.items():
            table.add_row(title)
            for row in found.rows:
                if (row.metric, row.dataframe) == (metric, setting):
                    table.add_row(*cells(row))
        console.print(table)
    pairs = max((row.pairs for row in found.rows), default=0)
    console.print(
        f"Medians in ms and MiB; ratios by {pairs} pairs, measured in turns in {found.seconds:.0f} s. "
        "slower is more memory too; same: the interval lies within what is tolerated."
    )
    if found.disturbed:
        console.print(f"{found.disturbed} more pairs were left out: something else wanted the machine")
    for note in found.notes:
        console.print(f"note: {note}")
    for reason in found.not_applicable:
        console.print(f"n/a: {reason}")
    for failure in found.rejected:
        console.print(f"poolstart: {failure}")


def cells(row: Row) -> list[str]:
    factor = 1e3 if METRICS[row.metric] == "seconds" else 1 / MIB
    return [
        f"  {row.strategy}",
        f"{row.first * factor:.3g}",
        f"{row.second * factor:.3g}",
        f"{row.ratio:.3f}",
        f"{row.low:.3f} {row.high:.3f}" if row.high < 100 else "unknown",
        row.verdict,
    ]
