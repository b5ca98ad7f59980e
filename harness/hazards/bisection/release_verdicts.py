"""The record of the verdicts of all releases, stored as the releases in which a verdict changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from harness.hazards import catalogue
from harness.hazards.bisection import tried
from harness.hazards.hazard import TRIED, Verdict
from harness.hazards.table import Cell
from harness.postgres.server import Server
from harness.records import store
from harness.records.provenance import Provenance
from harness.system.errors import PoolstartError

RECORD = store.path("verdicts")

Changes = list[tuple[str, Verdict]]
"""Pairs of a release and the verdict that holds from it on, in version order."""


@dataclass(frozen=True)
class ReleaseVerdicts:
    """The recorded verdicts of all releases."""

    releases: tuple[str, ...]
    """The releases in which anything was tried, in version order."""
    whole: tuple[str, ...]
    """The releases in which everything was tried."""
    verdicts: dict[str, dict[str, Changes]]
    """Changes by hazard and strategy."""
    provenance: Provenance

    def of(self, hazard: str, strategy: str, release: str) -> str:
        """The verdict of one release: its own, or that of its neighbours if they agree; empty if unknown."""
        if release in self.releases:
            return self._tried(hazard, strategy, release)
        version = Version(release)
        before = [each for each in self.releases if Version(each) <= version]
        after = [each for each in self.releases if Version(each) >= version]
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
    return store.load(ReleaseVerdicts, path, "poolstart record verdicts")


def resume(recorded: ReleaseVerdicts | None, server: Server) -> bool:
    """Continue from the record if it was measured with the same server and version of Python.

    Returns whether it was; true if there is no record.
    """
    if not recorded:
        return True
    here = Provenance.here(server.identity)
    if (recorded.provenance.server, recorded.provenance.python) != (here.server, here.python):
        return False
    for release in recorded.whole:
        if not (tried.DIRECTORY / f"{release}.json").exists():
            verdicts = {
                hazard: {
                    strategy: verdict
                    for strategy in row
                    if (verdict := recorded.of(hazard, strategy, release))
                }
                for hazard, row in recorded.verdicts.items()
            }
            tried.keep(release, verdicts)
    return True


def record(releases: Sequence[str], server: Server, command: str, path: Path = RECORD) -> ReleaseVerdicts:
    """Record the results of a session. `releases` are all in version order, tried or not.

    Where nothing could be tried here, the verdict on record stays. Raises `PoolstartError`, and records
    nothing, if a verdict on record would be lost.
    """
    before = load(path)
    by_release = {
        release: with_untried(before, release, results)
        for release in releases
        if (results := tried.results_of(release))
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
        return before  # Everything that was tried is on record.
    store.save(path, recorded)
    return recorded


def with_untried(before: ReleaseVerdicts | None, release: str, results: dict[Cell, str]) -> dict[Cell, str]:
    """The results, with the verdict on record where nothing could be tried here."""
    untried = {
        (hazard, strategy): str(verdict)
        for hazard, row in tried.of_release(release).items()
        for strategy, verdict in row.items()
        if verdict == Verdict.NOT_TRIED
    }
    known = {cell: before.of(*cell, release) if before else "" for cell in untried}
    return {
        **results,
        **{cell: known[cell] if known[cell] in TRIED else verdict for cell, verdict in untried.items()},
    }


def require_all_of(before: ReleaseVerdicts, results: dict[str, dict[Cell, str]]) -> None:
    """Raise `PoolstartError` if a release that was complete now lacks a result of a hazard."""
    cells = {
        (hazard, name) for hazard, row in before.verdicts.items() if hazard in catalogue.IDS for name in row
    }
    lost = [release for release in before.whole if not cells <= results.get(release, {}).keys()]
    if lost:
        raise PoolstartError(
            f"verdicts of {len(lost)} releases on record have not been tried, so the record stays as it is",
            "continue with `poolstart record verdicts`; what was tried is kept",
        )
