"""Verdicts of many releases: the releases from which on a hazard affects a strategy, or no longer does.

All trials of a release take minutes, and most verdicts never change. So the order is that of a bisection:
first all trials of the first and the last release of each series; then, where two of these differ, only the
trials that differ, in the release in the middle, until the release that changed the verdict is found; then
all trials of the releases in between, the widest gap first. A session that is ended early leaves out releases
between two that agree.

Results are kept after each release, and a session resumes where it was interrupted, or where the record ends,
even one of another machine: verdicts do not depend on the machine. Trials without a result are repeated.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import pairwise
from math import inf
from pathlib import Path

from packaging.version import Version

from harness.hazards import catalogue, matrix
from harness.hazards.expected import series
from harness.hazards.hazard import TRIED, Hazard, Outcome, Verdict
from harness.postgres.server import Server
from harness.records import store
from harness.records.provenance import Provenance
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.structure import structure

RECORD = store.path("verdicts")

DIRECTORY = ROOT / ".asv" / "verdicts"
"""Where a session keeps its results, a file a release."""

Cell = tuple[str, str]
"""A hazard and a strategy."""

Changes = list[tuple[str, Verdict]]
"""Pairs of a release and the verdict that holds from it on, in version order."""


@dataclass(frozen=True)
class ReleaseVerdicts:
    """The recorded verdicts of all releases."""

    releases: tuple[str, ...]
    """The releases in which anything was tried, in version order."""
    whole: tuple[str, ...]
    """Those of them in which everything was tried."""
    verdicts: dict[str, dict[str, Changes]]
    """Changes by hazard and strategy."""
    provenance: Provenance

    def of(self, hazard: str, strategy: str, release: str) -> str:
        """The verdict of one release: its own, or that of its neighbours if they agree; empty if unknown."""
        if release in self.releases:
            return self._tried(hazard, strategy, release)
        version = Version(release)
        before = [tried for tried in self.releases if Version(tried) <= version]
        after = [tried for tried in self.releases if Version(tried) >= version]
        if not before or not after:
            return ""
        verdicts = {self._tried(hazard, strategy, neighbour) for neighbour in (before[-1], after[0])}
        return verdicts.pop() if len(verdicts) == 1 else ""

    def _tried(self, hazard: str, strategy: str, release: str) -> str:
        changes = self.verdicts.get(hazard, {}).get(strategy, [])
        at = self.releases.index(release)
        known = [verdict for first, verdict in changes if self.releases.index(first) <= at]
        return known[-1] if known else ""


def load(path: Path = RECORD) -> ReleaseVerdicts | None:
    """The recorded verdicts; None without a record. Raises `PoolstartError` if the record is damaged."""
    if not path.exists():
        return None
    with store.reading(path, "poolstart record verdicts") as fields:
        return structure(ReleaseVerdicts, fields)


def resume(recorded: ReleaseVerdicts | None, server: Server) -> bool:
    """Continue from the record, if it was measured with such a server and this version of Python.

    Returns whether it was; true if there is no record.
    """
    if not recorded:
        return True
    here = Provenance.here(server.identity)
    if (recorded.provenance.server, recorded.provenance.python) != (here.server, here.python):
        return False
    for release in recorded.whole:
        if not (path := DIRECTORY / f"{release}.json").exists():
            DIRECTORY.mkdir(parents=True, exist_ok=True)
            verdicts = {
                hazard: {
                    strategy: verdict
                    for strategy in row
                    if (verdict := recorded.of(hazard, strategy, release))
                }
                for hazard, row in recorded.verdicts.items()
            }
            files.write(path, json.dumps(verdicts))
    return True


def discard(releases: Iterable[str], hazards: Collection[str]) -> None:
    """Discard what earlier sessions have found of these hazards in these releases: it is tried again."""
    for release in releases:
        kept = {hazard: row for hazard, row in of_release(release).items() if hazard not in hazards}
        if kept:
            files.write(DIRECTORY / f"{release}.json", json.dumps(kept))
        else:
            (DIRECTORY / f"{release}.json").unlink(missing_ok=True)


def measure(
    releases: Sequence[str],
    hazards: Sequence[Hazard],
    strategies: Sequence[str],
    interpreter: Callable[[str], Path],
    server: Server,
    report: Callable[[str], None],
    *,
    budget: float = inf,
) -> None:
    """Try what has not been tried, and keep the results of each release; starts none after `budget` seconds.

    `releases` are in version order.
    """
    began = time.monotonic()
    cells = [(hazard.id, strategy) for hazard in hazards for strategy in strategies]
    done: set[tuple[str, Cell]] = set()
    while turn := next_turn(releases, cells, done):
        release, missing = turn
        if time.monotonic() - began > budget:
            return
        done |= {(release, cell) for cell in missing}
        outcomes = matrix.measure(
            server,
            hazards,
            strategies,
            Countdown(release, len(missing), report).count,
            wanted=partial(is_among, missing),
            release=release,
            python=interpreter(release),
        )
        tried = of_release(release)
        for outcome in outcomes:
            tried.setdefault(outcome.hazard, {})[outcome.strategy] = str(outcome.verdict)
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        files.write(DIRECTORY / f"{release}.json", json.dumps(tried))


def is_among(cells: Collection[Cell], hazard: Hazard, strategy: str) -> bool:
    """Whether a trial is one of these cells."""
    return (hazard.id, strategy) in cells


class Countdown:
    """Reports how many trials of a release are left."""

    def __init__(self, release: str, trials: int, report: Callable[[str], None]) -> None:
        self._release, self._left, self._report = release, trials, report
        self._show()

    def count(self, _: Outcome) -> None:
        self._left -= 1
        self._show()

    def _show(self) -> None:
        self._report(f"{self._release}, {self._left} trials left")


def next_turn(
    releases: Sequence[str], cells: Sequence[Cell], done: Collection[tuple[str, Cell]]
) -> tuple[str, set[Cell]] | None:
    """The release to try next, and which trials of it; None if everything was tried.

    `done` holds the trials of this session, with or without a result.
    """
    known = {release: results_of(release) for release in releases}

    def missing(release: str) -> set[Cell]:
        return {cell for cell in cells if cell not in known[release] and (release, cell) not in done}

    for release in ends(releases):
        if trials := missing(release):
            return release, trials
    in_the_middle: dict[str, set[Cell]] = {}
    for cell in cells:
        tried = [number for number, release in enumerate(releases) if cell in known[release]]
        for first, last in pairwise(tried):
            if known[releases[first]][cell] != known[releases[last]][cell]:
                between = [release for release in releases[first + 1 : last] if (release, cell) not in done]
                if between:
                    in_the_middle.setdefault(between[len(between) // 2], set()).add(cell)
    if in_the_middle:
        return max(in_the_middle.items(), key=lambda item: len(item[1]))
    whole = [number for number, release in enumerate(releases) if not missing(release)]
    gaps = [(first, last) for first, last in pairwise(whole) if last - first > 1]
    if not gaps:
        return None
    first, last = max(gaps, key=lambda gap: gap[1] - gap[0])
    release = releases[(first + last) // 2]
    return release, missing(release)


def ends(releases: Sequence[str]) -> list[str]:
    """The last and the first release of each series, the newest series first."""
    by_series: dict[str, list[str]] = {}
    for release in releases:
        by_series.setdefault(series(release), []).append(release)
    return [
        end for members in reversed(by_series.values()) for end in dict.fromkeys((members[-1], members[0]))
    ]


def results_of(release: str) -> dict[Cell, str]:
    """The verdicts of a release that are results, by hazard and strategy; others are tried again."""
    return {
        (hazard, strategy): verdict
        for hazard, row in of_release(release).items()
        for strategy, verdict in row.items()
        if verdict not in (Verdict.NO_RESULT, Verdict.NOT_TRIED)
    }


def with_untried(before: ReleaseVerdicts | None, release: str, results: dict[Cell, str]) -> dict[Cell, str]:
    """The results, and for what could not be tried here the verdict on record."""
    untried = {
        (hazard, strategy): str(verdict)
        for hazard, row in of_release(release).items()
        for strategy, verdict in row.items()
        if verdict == Verdict.NOT_TRIED
    }
    known = {cell: before.of(*cell, release) if before else "" for cell in untried}
    return {
        **results,
        **{cell: known[cell] if known[cell] in TRIED else verdict for cell, verdict in untried.items()},
    }


def of_release(release: str) -> dict[str, dict[str, str]]:
    """The verdicts that a session has kept of a release, by hazard and strategy.

    Raises `PoolstartError` if the file is damaged.
    """
    path = DIRECTORY / f"{release}.json"
    if not path.exists():
        return {}
    with files.reading(path, "remove it, and it is tried again"):
        return {
            hazard: {strategy: str(Verdict(verdict)) for strategy, verdict in row.items()}
            for hazard, row in json.loads(path.read_text()).items()
        }


def record(releases: Sequence[str], server: Server, command: str, path: Path = RECORD) -> ReleaseVerdicts:
    """Record the results of a session. `releases` are all in version order, tried or not.

    What could not be tried here keeps the verdict on record. Raises `PoolstartError`, and records nothing,
    if a verdict on record would be lost.
    """
    before = load(path)
    by_release = {
        release: with_untried(before, release, results)
        for release in releases
        if (results := results_of(release))
    }
    if before:
        require_all_of(before, by_release)
    verdicts: dict[str, dict[str, Changes]] = {}
    for release, results in by_release.items():
        for (hazard, strategy), verdict in results.items():
            changes = verdicts.setdefault(hazard, {}).setdefault(strategy, [])
            if not changes or changes[-1][1] != verdict:
                changes.append((release, Verdict(verdict)))
    every = {cell for results in by_release.values() for cell in results}
    recorded = ReleaseVerdicts(
        releases=tuple(by_release),
        whole=tuple(release for release, results in by_release.items() if results.keys() == every),
        verdicts=verdicts,
        # Its releases are the columns.
        provenance=replace(Provenance.here(server.identity, command), release=""),
    )
    if before and replace(recorded, provenance=before.provenance) == before:
        return before  # Nothing was tried that is not on record.
    store.write(path, asdict(recorded))
    return recorded


def require_all_of(before: ReleaseVerdicts, results: dict[str, dict[Cell, str]]) -> None:
    """Raise `PoolstartError` if a release that was whole lacks a result on a hazard that is still tried."""
    cells = {
        (hazard, name) for hazard, row in before.verdicts.items() if hazard in catalogue.IDS for name in row
    }
    lost = [release for release in before.whole if not cells <= results.get(release, {}).keys()]
    if lost:
        raise PoolstartError(
            f"verdicts of {len(lost)} releases on record have not been tried, so the record stays as it is",
            "continue with `poolstart record verdicts`; what was tried is kept",
        )
