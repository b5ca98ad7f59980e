"""The verdicts that interrupted sessions have kept, by hazard and strategy: a file for each release."""

import json
from collections.abc import Collection, Iterable, Mapping

from harness.hazards.hazard import Verdict
from harness.hazards.table import Cell
from harness.system import files
from harness.system.environment import ROOT

DIRECTORY = ROOT / ".asv" / "verdicts"
"""The directory in which a session keeps its results, one file per release."""


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


def results_of(release: str) -> dict[Cell, str]:
    """The verdicts of a release that are results, by hazard and strategy; others are tried again."""
    return {
        (hazard, strategy): verdict
        for hazard, row in of_release(release).items()
        for strategy, verdict in row.items()
        if verdict not in (Verdict.NO_RESULT, Verdict.NOT_TRIED)
    }


def keep(release: str, verdicts: Mapping[str, Mapping[str, str]]) -> None:
    """Keep the verdicts of a release, in place of those that were kept."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    files.write(DIRECTORY / f"{release}.json", json.dumps(verdicts))


def discard(releases: Iterable[str], hazards: Collection[str]) -> None:
    """Discard the kept verdicts of these hazards in these releases, so that they are tried again."""
    for release in releases:
        kept = {hazard: row for hazard, row in of_release(release).items() if hazard not in hazards}
        if kept:
            keep(release, kept)
        else:
            (DIRECTORY / f"{release}.json").unlink(missing_ok=True)
