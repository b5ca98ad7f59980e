"""The answer of each series: a release with the levels of its figures, and how far other records differ.

A level is the mean over all releases since the last one that changed a figure (`harness.history.level`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.version import InvalidVersion, Version

from harness.answer.figures import on_record
from harness.answer.figures.on_record import ResultsOnRecord
from harness.answer.figures.results import Figure, ReleaseResults
from harness.history import changes, level
from harness.history.changes import Changes
from harness.history.level import Level
from harness.history.sensitivity import elsewhere
from harness.history.sensitivity.elsewhere import Differences, RecordedMedian
from harness.releases import stored
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

Key = tuple[str, str, str]
"""Metric, strategy and DataFrame setting."""


def of_release(
    release: str | None = None, results: Path = ROOT / "results", own: str | None = None
) -> list[ReleaseResults]:
    """The answers of a release in a directory, by default the newest of each series; damaged files are named.

    `own` is the name of this machine's results. Raises PoolstartError if there are none, or a record is
    damaged.
    """
    known = on_record.load(results, own)
    found = answers(known, release)
    for error in known.damaged:
        stored.warn(str(error))
    return found


def default(results: Path = ROOT / "results", own: str | None = None) -> ReleaseResults:
    """The results that README.md shows, the first of `of_release`, which raises the same errors."""
    return of_release(results=results, own=own)[0]


def answers(known: ResultsOnRecord, release: str | None = None) -> list[ReleaseResults]:
    """The answers of a release, by default the newest of each series, in the order of `TestBed.preference`.

    Raises PoolstartError if there are none, or a record is damaged.
    """
    try:
        named = None if release is None else Version(release)
    except InvalidVersion:
        raise PoolstartError(
            f"{release!r} is no release", "give one of those that `poolstart releases` lists"
        ) from None
    beds = [bed for bed in known.test_beds if bed.is_default]
    if not beds:
        if known.damaged:
            raise known.damaged[0]
        raise PoolstartError(f"there are no results yet{reason(known.failures)}", "measure by `asv run`")
    chosen = [(bed, bed.newest if named is None else bed.releases.get(str(named))) for bed in beds]
    if not any(shown for _, shown in chosen):
        why = reason(run for run in known.failures if Version(run.release) == named)
        raise PoolstartError(f"{release} has not been measured{why}", f"measure it by `asv run {release}^!`")
    changed, recorded = changes.recorded(known.directory), list(elsewhere.on_record())
    return [
        replace(
            shown,
            failed="; ".join(failures_since(shown, known.failures)),
            levels=levels(shown, list(bed.releases.values()), changed),
            differences=differences(list(bed.releases.values()), recorded),
        )
        for bed, shown in chosen
        if shown
    ]


def of_other_drivers(known: ResultsOnRecord) -> list[ReleaseResults]:
    """The newest results of each series of another driver, in the same order.

    Their levels are the figures themselves, since few releases are measured with them.
    """
    newest = (bed.newest for bed in known.other_drivers if bed.is_default)
    return [replace(each, levels=levels(each, [each], None)) for each in newest]


def own_first(measured: Sequence[ReleaseResults]) -> list[ReleaseResults]:
    """The results in their order, those of this machine before the others."""
    return sorted(measured, key=lambda each: not each.own)


def reason(failures: Iterable[stored.FailedRun]) -> str:
    """The reason of the first of these failed runs, as the end of a sentence; empty without any."""
    return next((f": {run.reason}" for run in failures), "")


def levels(
    shown: ReleaseResults, series: Sequence[ReleaseResults], known: Changes | None
) -> dict[Key, Level]:
    """The level of each figure, from the releases of its series, without those of a busy machine.

    `known` are the changes of the releases; None if no other release belongs to the series.
    """
    quiet = [shown, *(each for each in series if each.release != shown.release and not each.busy)]

    def of(key: Key, figure: Figure) -> Level:
        figures = {each.release: each.figures[key].parents for each in quiet if key in each.figures}
        since = level.last_change(known, *key[:2]) if known else shown.release
        found = level.level(figures, shown.release, since)
        return found or Level(figure.median, {shown.release: figure.median}, figure.parents.parents)

    return {key: of(key, figure) for key, figure in shown.figures.items()}


def differences(series: Sequence[ReleaseResults], recorded: Sequence[RecordedMedian]) -> Differences:
    """How far records of other days and machines differ from these results."""
    medians = {(each.release, *key): figure.median for each in series for key, figure in each.figures.items()}
    machine, day = series[0].machine, f"{series[0].date:%Y-%m-%d}"
    return elsewhere.differences(medians, machine["machine"], machine.get("cpu", ""), day, recorded)


def failures_since(shown: ReleaseResults, failures: Sequence[stored.FailedRun]) -> list[str]:
    """Sentences on the failed runs of the same series, of this release or newer ones, which are not shown."""
    return [
        run.sentence
        for run in failures
        if (run.machine, run.environment) == (shown.machine["machine"], shown.environment_name)
        and Version(run.release) >= Version(shown.release)
    ]
