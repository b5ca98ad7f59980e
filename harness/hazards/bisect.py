"""Verdicts of many releases: where each hazard begins or ceases to strike each strategy.

A release with all its trials takes minutes, and most verdicts never change. So turns come in an order that
soon tells the most: the first and the last release of each series in full; then, of what differs
between two of them, only that, in the middle of the two, until the release is found that changed it; then
the releases in between, in full, the widest gap first. A sitting that is ended early has left out what lies
between two that agree. What a turn came to is kept as soon as it is done, and a sitting goes on where it was
interrupted, or where the record ends, on whatever machine that was made: what strikes does not depend on it.
Trials that came to no result are tried again. The record says, of each hazard and strategy, from which
release on the verdict is which.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

from packaging.version import Version

from harness.hazards import matrix
from harness.hazards.expected import series
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.postgres.server import Server
from harness.records import store
from harness.records.provenance import Provenance
from harness.system import files
from harness.system.environment import ROOT
from harness.system.structure import structure

RECORD = store.path("verdicts")

DIRECTORY = ROOT / ".asv" / "verdicts"
"""Where a sitting keeps what it has tried, a file a release."""

Cell = tuple[str, str]
"""A hazard and a strategy."""

Changes = list[tuple[str, Verdict]]
"""The releases from which on the verdict is another one, the first of all included."""


@dataclass(frozen=True)
class ReleaseVerdicts:
    """What is on record."""

    releases: tuple[str, ...]
    """That anything was tried in, in version order."""
    whole: tuple[str, ...]
    """Those of them that everything was tried in."""
    verdicts: dict[str, dict[str, Changes]]
    """By hazard and strategy."""
    provenance: Provenance

    def of(self, hazard: str, strategy: str, release: str) -> str:
        """The verdict of one release: its own, or that of the two it lies between, where they agree.

        Empty where it is not known.
        """
        if release in self.releases:
            return self._tried(hazard, strategy, release)
        wanted = Version(release)
        before = [one for one in self.releases if Version(one) <= wanted]
        after = [one for one in self.releases if Version(one) >= wanted]
        if not before or not after:
            return ""
        found = {self._tried(hazard, strategy, one) for one in (before[-1], after[0])}
        return found.pop() if len(found) == 1 else ""

    def _tried(self, hazard: str, strategy: str, release: str) -> str:
        changes = self.verdicts.get(hazard, {}).get(strategy, [])
        at = self.releases.index(release)
        known = [verdict for first, verdict in changes if self.releases.index(first) <= at]
        return known[-1] if known else ""


def load(path: Path = RECORD) -> ReleaseVerdicts | None:
    """What is on record; None where there is no record."""
    if not path.exists():
        return None
    with store.reading(path, "poolstart verdicts") as fields:
        return structure(ReleaseVerdicts, fields)


def take_up(recorded: ReleaseVerdicts | None, server: Server) -> None:
    """Go on with what is on record, where it came from such a server and this Python."""
    here = Provenance.here(server.identity)
    if not recorded:
        return
    if (recorded.provenance.server, recorded.provenance.python) != (here.server, here.python):
        return
    for release in recorded.whole:
        if not (path := DIRECTORY / f"{release}.json").exists():
            DIRECTORY.mkdir(parents=True, exist_ok=True)
            found = {
                hazard: {
                    strategy: verdict
                    for strategy in row
                    if (verdict := recorded.of(hazard, strategy, release))
                }
                for hazard, row in recorded.verdicts.items()
            }
            files.write(path, json.dumps(found))


def measure(
    releases: Sequence[str],
    hazards: Sequence[Hazard],
    strategies: Sequence[str],
    interpreter: Callable[[str], Path],
    server: Server,
    report: Callable[[str, int], None],
) -> None:
    """Try what has not been tried; `report` is told of the release, and of how many trials it has left.

    `releases` are in version order.
    """
    cells = [(hazard.id, strategy) for hazard in hazards for strategy in strategies]
    done: set[tuple[str, Cell]] = set()
    while turn := next_turn(releases, cells, done):
        release, missing = turn
        done |= {(release, cell) for cell in missing}
        left = len(missing)
        report(release, left)

        def seen(outcome: Outcome, release: str = release) -> None:
            nonlocal left
            left -= 1
            report(release, left)

        outcomes = matrix.measure(
            server,
            hazards,
            strategies,
            seen,
            wanted=lambda hazard, strategy, missing=missing: (hazard.id, strategy) in missing,  # type: ignore[misc]
            release=release,
            python=interpreter(release),
        )
        tried = of_release(release)
        for outcome in outcomes:
            tried.setdefault(outcome.hazard, {})[outcome.strategy] = str(outcome.verdict)
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        files.write(DIRECTORY / f"{release}.json", json.dumps(tried))


def next_turn(
    releases: Sequence[str], cells: Sequence[Cell], done: Collection[tuple[str, Cell]]
) -> tuple[str, set[Cell]] | None:
    """The release, and the trials in it, that tell most now; None when all was tried.

    `done` is what this sitting has tried, whatever it came to.
    """
    known = {release: results_of(release) for release in releases}

    def missing(release: str) -> set[Cell]:
        return {cell for cell in cells if cell not in known[release] and (release, cell) not in done}

    for release in ends(releases):
        if trials := missing(release):
            return release, trials
    open_at: dict[str, set[Cell]] = {}
    for cell in cells:
        tried = [at for at, release in enumerate(releases) if cell in known[release]]
        for one, other in pairwise(tried):
            if known[releases[one]][cell] != known[releases[other]][cell]:
                between = [release for release in releases[one + 1 : other] if (release, cell) not in done]
                if between:
                    open_at.setdefault(between[len(between) // 2], set()).add(cell)
    if open_at:
        return max(open_at.items(), key=lambda item: len(item[1]))
    whole = [at for at, release in enumerate(releases) if not missing(release)]
    gaps = [(one, other) for one, other in pairwise(whole) if other - one > 1]
    if not gaps:
        return None
    one, other = max(gaps, key=lambda gap: gap[1] - gap[0])
    release = releases[(one + other) // 2]
    return release, missing(release)


def ends(releases: Sequence[str]) -> list[str]:
    """The first and the last release of each series, the newest of them first."""
    by_series: dict[str, list[str]] = {}
    for release in releases:
        by_series.setdefault(series(release), []).append(release)
    return [end for some in reversed(by_series.values()) for end in dict.fromkeys((some[-1], some[0]))]


def results_of(release: str) -> dict[Cell, str]:
    """What has a result in a release."""
    return {
        (hazard, strategy): verdict
        for hazard, row in of_release(release).items()
        for strategy, verdict in row.items()
        if verdict != Verdict.NO_RESULT
    }


def of_release(release: str) -> dict[str, dict[str, str]]:
    """What a sitting has found of one release, by hazard and strategy."""
    path = DIRECTORY / f"{release}.json"
    if not path.exists():
        return {}
    with files.reading(path, "remove it, and it is tried again"):
        return {
            hazard: {strategy: str(Verdict(verdict)) for strategy, verdict in row.items()}
            for hazard, row in json.loads(path.read_text()).items()
        }


def record(releases: Sequence[str], server: Server, command: str, path: Path = RECORD) -> ReleaseVerdicts:
    """Put what a sitting has found on record: of releases in version order, those that were tried."""
    by_release = {release: found for release in releases if (found := results_of(release))}
    verdicts: dict[str, dict[str, Changes]] = {}
    for release, found in by_release.items():
        for (hazard, strategy), verdict in found.items():
            changes = verdicts.setdefault(hazard, {}).setdefault(strategy, [])
            if not changes or changes[-1][1] != verdict:
                changes.append((release, Verdict(verdict)))
    every = {cell for found in by_release.values() for cell in found}
    recorded = ReleaseVerdicts(
        releases=tuple(by_release),
        whole=tuple(release for release, found in by_release.items() if found.keys() == every),
        verdicts=verdicts,
        # Its releases are the columns.
        provenance=replace(Provenance.here(server.identity, command), release=""),
    )
    store.write(path, asdict(recorded))
    return recorded
