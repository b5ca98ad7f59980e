"""`poolstart noise`: how far the instrument can be trusted on this machine."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from harness.history.sensitivity.injected import Report
    from harness.history.sensitivity.record import InjectionResult, SensitivityRecord
    from harness.lifecycles.profile import Profile
    from harness.postgres.server import Server

from harness.system.errors import PoolstartError

console = Console(highlight=False)


def noise(
    runs: Annotated[int, typer.Option(min=8, help="Measure the release so many times.")] = 10,
    release: Annotated[str | None, typer.Option(help="By default the newest.")] = None,
    seeded: Annotated[
        bool,
        typer.Option(
            "--seeded", help="Instead: is a known difference found? Added to the record; goes on with it."
        ),
    ] = False,
    repetitions: Annotated[int, typer.Option(min=1, help="Of each known difference.")] = 20,
    pairs: Annotated[int, typer.Option(min=6, help="Of parents, at least, in each repetition.")] = 8,
    anew: Annotated[bool, typer.Option("--anew", help="With --seeded: instead of those on record.")] = False,
    load: Annotated[
        bool,
        typer.Option(
            "--load",
            help="Keep a core busy meanwhile, for random tenths of the time; a record of its own.",
        ),
    ] = False,
    record: Annotated[Path | None, typer.Option(help="Where to write.")] = None,
) -> None:
    """Measure one release as if it were many, and write records/sensitivity.json."""
    from harness.history.sensitivity import runs as same_release
    from harness.history.sensitivity.record import LOADED, RECORD, SensitivityRecord
    from harness.lifecycles import plan
    from harness.lifecycles import profile as profiles
    from harness.postgres import locate
    from harness.processes import load as loads
    from harness.releases import interpreters
    from harness.releases.catalogue import catalogue

    if anew and not seeded:
        raise PoolstartError("--anew is of --seeded", "leave it out: runs are always measured anew")
    path = record or (LOADED if load else RECORD)
    version = release or catalogue().newest.version
    if catalogue().position(version) is None:
        raise PoolstartError(
            f"{version!r} is no release", "give one of those that `poolstart releases` lists"
        )
    found = SensitivityRecord.load(path) if seeded else None
    if found and anew:
        found.repetitions, found.pairs = [], 0
    if found and found.pairs not in (0, pairs):
        raise PoolstartError(
            f"the known differences in {path.name} were begun with --pairs {found.pairs}",
            "go on so, or begin with --anew",
        )
    profile = profiles.current()
    cells = plan.cells_of(profile)
    began = time.monotonic()
    with console.status("installing") as status, locate.server() as server, loads.at_random(load):
        if found:
            found.pairs = pairs
            command = f"poolstart noise --seeded{' --load' if load else ''} --pairs {pairs}"
            found.seeded = f"`{command}`, {datetime.now(UTC).isoformat(timespec='seconds')}"
            for one in add_seeded(found, server, profile, repetitions, pairs, status.update):
                # What an interrupted sitting has found is kept.
                found.repetitions.append(one)
                found.save(path)
            found.save(path)
        else:
            python = interpreters.of_release(version)
            several = same_release.measure(cells, server, profile, version, python, runs, status.update)
            command = f"poolstart noise --runs {runs}{' --load' if load else ''}"
            figures = same_release.figures(several, cells)
            found = same_release.record(
                several, figures, server, command=command, seconds=time.monotonic() - began, loaded=load
            )
            found.save(path)
    console.print(f"written: {path}")


def add_seeded(
    found: "SensitivityRecord",
    server: "Server",
    profile: "Profile",
    repetitions: int,
    pairs: int,
    report: "Report",
) -> "Iterator[InjectionResult]":
    """Measure the known differences in turns, and go on behind what is on record.

    Their sizes are parts of what the runs have measured.
    """
    from harness.comparisons.compare import Side
    from harness.history.sensitivity import injected
    from harness.releases import interpreters, venvs
    from harness.system.environment import ROOT

    def usual(figure: str) -> float:
        return median(
            value
            for one in found.figures
            if (f"{one.metric} {one.strategy}", one.dataframe) == (figure, "none")
            for run in one.runs
            for value in run
        )

    packages = [f"sqlalchemy=={found.release}", *venvs.pins(interpreters.pinned())]
    changed = {}
    for seed in injected.INJECTED_CHANGES:
        report(f"{seed.title}: installing")
        home = ROOT / ".asv" / "noise" / seed.id
        shutil.rmtree(home, ignore_errors=True)
        python = venvs.python_with(packages, home)
        injected.inject(seed, python, seed.size * usual(seed.expected[0]) if seed.size else 0)
        changed[seed.id] = Side(seed.title, found.release, python, seed.strategies)
    done = Counter(one.seed for one in found.repetitions)
    for number, seed in product(range(1, repetitions + 1), injected.INJECTED_CHANGES):
        if number <= done[seed.id]:
            continue
        plain = Side("as released", found.release, interpreters.of_release(found.release), seed.strategies)
        what = f"{seed.title}, {number} of {repetitions}"
        one = injected.measure(
            seed, plain, changed[seed.id], server, profile, pairs, partial(prefixed, report, what)
        )
        told = ", ".join(one.found) or "nothing"
        console.print(f"{what}: found {told}; missed {one.missed}; besides {one.unexpected}")
        yield one


def prefixed(report: "Report", what: str, told: str) -> None:
    report(f"{what}: {told}")
