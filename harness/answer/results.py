"""The measured figures of a release: the results files of the default profile, read from `results/`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

from asv.results import Results
from packaging.version import InvalidVersion, Version

from harness import drivers
from harness.answer import ranking
from harness.answer.ranking import MedianRange
from harness.console.numbers import two_digits, with_interval
from harness.drivers import Driver
from harness.history import changes, level
from harness.history.changes import Changes
from harness.history.level import Level, ParentFigures
from harness.history.sensitivity import elsewhere
from harness.history.sensitivity.elsewhere import Differences, MeasuredAt, RecordedMedian
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Metric, Table
from harness.releases import machine, stored
from harness.system import conditions, files, pythons
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.memory import MIB

DATAFRAME_TITLES = {
    "none": "Nothing large in the parent",
    "large": "A DataFrame of 512 MiB resident in the parent",
}
"""Titles of the DataFrame settings."""

DEFAULT_SERIES_TAGS = ("postgres", "psycopg2-binary", "pandas")
"""Tags that every result of the default series has; results of `asv run -E existing` lack them."""

COUNTS = "exact."
"""How the names of benchmarks begin that count."""

GIB = 1024 * MIB


@dataclass(frozen=True)
class MedianQuartiles:
    """A median of samples, with their quartiles, in seconds or bytes."""

    median: float
    low: float
    high: float
    interval: tuple[float, float]
    """The 99 % interval of the median."""
    parents: ParentFigures

    def text(self, metric: Metric) -> str:
        """`7.4 ±0.95`, in the metric's display unit."""
        return with_interval(self.median, *self.interval, metric.factor)


@dataclass(frozen=True)
class ReleaseResults:
    """One results file of the default profile: a release, measured on one machine with one server."""

    release: str
    machine: dict[str, str]
    own: bool
    """Whether it is this machine, by the name that asv uses for it."""
    environment: dict[str, str]
    environment_name: str
    """asv's name of it."""
    date: datetime
    figures: dict[tuple[str, str, str], MedianQuartiles]
    """By metric, strategy and DataFrame setting; a cell that was not measured is missing."""
    levels: Mapping[tuple[str, str, str], Level] = field(default_factory=dict)
    """The same figures as the answer has them: over all releases since the last change."""
    differences: Differences = field(default_factory=Differences)
    """How far the figures of this series were off on other days and machines."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    """Why a cell has no figures, by its id."""
    failed: str = ""
    """What happened in the last run, if it failed; empty otherwise."""
    busy: str = ""
    """Why nothing can be concluded from the figures; empty if nothing shows that the machine was busy."""
    counts: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """What repeats exactly, by name and strategy."""

    def estimate(self, strategy: str, metric: str, dataframe: str = "none") -> MedianRange | None:
        """The level of a metric, with the range of many releases, or an interval as wide as that of one run.

        None if it was not measured, or on a busy machine.
        """
        return None if self.busy else self.range_of(strategy, metric, dataframe)

    def range_of(self, strategy: str, metric: str, dataframe: str = "none") -> MedianRange | None:
        """The same on a busy machine too, where it proves nothing."""
        key = metric, strategy, dataframe
        if key not in self.figures:
            return None
        figure, found = self.figures[key], self.levels[key]
        if len(medians := found.medians.values()) >= ranking.MIN_PAIRS:
            return MedianRange(found.mean, min(medians), max(medians), by_release=found.medians)
        low, high = figure.interval
        scale = found.mean / figure.median if figure.median else 1.0
        return MedianRange(found.mean, low * scale, high * scale, by_release=found.medians)

    def answer(self, strategy: str, metric: Metric, dataframe: str = "none") -> str:
        """`7.4`: the level of a metric in its display unit; `failed` or `n/a` if there is none."""
        found = self.levels.get((metric.id, strategy, dataframe))
        if found:
            return two_digits(found.mean * metric.factor)
        return "failed" if f"{strategy}.{dataframe}" in self.rejected else "n/a"

    @property
    def series(self) -> tuple[str, ...]:
        """What results must have in common to be compared: machine and environment."""
        tags = {name: value for name, value in self.environment.items() if name not in stored.HARDWARE}
        return self.machine["machine"], *(f"{name} {value}" for name, value in sorted(tags.items()))

    @property
    def name(self) -> str:
        """What tells series apart, and the date: `SQLAlchemy 2.1.9 on MACHINE, SERVER, Python 3.11, DATE`."""
        e = self.environment
        return (
            f"SQLAlchemy {self.release} on {self.machine['machine']}, {e['postgres']}, Python {e['python']}, "
            f"{self.date:%Y-%m-%d}"
        )

    @property
    def driver(self) -> str:
        """Name and version of the driver, as people call it."""
        tag = self.environment.get("driver", "")
        return tag.replace("-", " ") if tag else f"psycopg2-binary {self.environment['psycopg2-binary']}"

    @property
    def combination(self) -> tuple[str, str]:
        """The names of driver and Python."""
        driver = self.environment.get("driver", "").rpartition("-")[0] or drivers.MEASURED.name
        return driver, self.environment.get("python", "")

    @property
    def conditions(self) -> str:
        """Versions, machine and date, in one sentence without a full stop."""
        e = self.environment
        return (
            f"SQLAlchemy {self.release}, {self.driver}, Python {e['python']}, "
            f"PostgreSQL {e['postgres']}, pandas {e['pandas']}; {hardware(self.machine)}; "
            f"{self.date:%Y-%m-%d}, by `asv run`"
        )


def hardware(machine: dict[str, str]) -> str:
    """A machine in words. One that its user only named has no more than its name."""
    parts = (
        machine.get("cpu") or machine.get("machine", ""),
        f"{machine['num_cpu']} cores" if machine.get("num_cpu") else "",
        f"{int(machine['ram']) / GIB:.0f} GiB" if machine.get("ram", "").isdigit() else "",
        machine.get("os", ""),
    )
    return ", ".join(filter(None, parts))


def preference(
    machine: str,
    server: str,
    python: str,
    releases: int,
    newest: str,
    date: datetime | None,
    own: str,
) -> tuple[Any, ...]:
    """A sort key by which the series to show first is the largest.

    Results of the reference Python come before those of others, which are further series beside the answer;
    then those with so many releases that their figures are means; then those of this machine (`own`), then
    the embedded server, which everyone can have, then the newest release, then the latest results. Everything
    that shows one series of several uses this order: README.md, the site, and the page of claims; `poolstart
    results` shows this machine's first.
    """
    when = date.timestamp() if date else 0.0
    reference = python == pythons.REFERENCE
    means = releases >= ranking.MIN_PAIRS
    return reference, means, machine == own, server.startswith("embedded"), Version(newest), when


def of_release(
    release: str | None = None, results: Path = ROOT / "results", own: str | None = None
) -> list[ReleaseResults]:
    """The results of a release, by default the newest of each series, in the order of `preference`.

    `own` is the name of this machine's results. Raises PoolstartError if there are none, or a file is
    damaged.
    """
    try:
        named = None if release is None else Version(release)
    except InvalidVersion:
        raise PoolstartError(
            f"{release!r} is no release", "give one of those that `poolstart releases` lists"
        ) from None
    own = machine.own_name() if own is None else own
    measured = measured_with([drivers.MEASURED], results, own)
    failures = [
        run
        for path in results.glob(f"*/{conditions.FILE}")
        for run in stored.failed_runs(path.parent.name, conditions.load(path.parent))
    ]
    if not measured:
        reasons = "".join(f": {run.reason}" for run in failures[:1])
        raise PoolstartError(f"there are no results yet{reasons}", "measure by `asv run`")
    newest = newest_of_each(measured, own, named)
    if not newest:
        reasons = "".join(f": {run.reason}" for run in failures if Version(run.release) == named)
        raise PoolstartError(
            f"{release} has not been measured{reasons}", f"measure it by `asv run {release}^!`"
        )
    known, recorded = changes.recorded(results), list(elsewhere.on_record())
    return [
        replace(
            each,
            failed="; ".join(failures_since(each, failures)),
            levels=levels(each, series, known),
            differences=differences(series, recorded),
        )
        for each in newest
        for series in [[other for other in measured if other.series == each.series]]
    ]


def of_other_drivers(results: Path = ROOT / "results", own: str | None = None) -> list[ReleaseResults]:
    """The newest results of each series of another driver, in the order of `preference`; empty without any.

    Their levels are the figures themselves, since few releases are measured with them. Raises PoolstartError
    if a file is damaged.
    """
    own = machine.own_name() if own is None else own
    others = [driver for driver in drivers.DRIVERS if driver != drivers.MEASURED]
    newest = newest_of_each(measured_with(others, results, own), own)
    return [replace(each, levels=levels(each, [each], None)) for each in newest]


def measured_with(used: Sequence[Driver], results: Path, own: str) -> list[ReleaseResults]:
    """All results of the default profile with one of these drivers that have figures."""
    measured = []
    for path, result in stored.results(results):
        with files.reading(path, stored.REMEDY):
            if any(is_series_of(result, driver) for driver in used):
                measured.append(release_results(result, results, own))
    return [each for each in measured if each.figures]


def newest_of_each(
    measured: Sequence[ReleaseResults], own: str, named: Version | None = None
) -> list[ReleaseResults]:
    """The newest release of each series, or the one that is named, in the order of `preference`."""
    newest: dict[tuple[str, ...], ReleaseResults] = {}
    releases = Counter(each.series for each in measured)
    for each in measured:
        if named in (None, Version(each.release)) and (
            each.series not in newest or Version(newest[each.series].release) < Version(each.release)
        ):
            newest[each.series] = each

    def key(each: ReleaseResults) -> tuple[Any, ...]:
        e, many = each.environment, releases[each.series]
        of = each.machine["machine"], e["postgres"], e["python"]
        return preference(*of, many, each.release, each.date, own)

    return sorted(newest.values(), key=key, reverse=True)


def own_first(measured: Sequence[ReleaseResults]) -> list[ReleaseResults]:
    """The results in their order, those of this machine before the others."""
    return sorted(measured, key=lambda each: not each.own)


def levels(
    shown: ReleaseResults, series: Sequence[ReleaseResults], known: Changes | None
) -> dict[tuple[str, str, str], Level]:
    """The level of each figure, from the releases of its series, without those of a busy machine.

    `known` are the changes of the releases; None if no other release belongs to the series.
    """
    quiet = [shown, *(each for each in series if each.release != shown.release and not each.busy)]
    found = {}
    for key, figure in shown.figures.items():
        figures = {each.release: each.figures[key].parents for each in quiet if key in each.figures}
        since = level.last_change(known, *key[:2]) if known else shown.release
        found[key] = level.level(figures, shown.release, since) or Level(
            figure.median, {shown.release: figure.median}, figure.parents.parents
        )
    return found


def differences(series: Sequence[ReleaseResults], recorded: Sequence[RecordedMedian]) -> Differences:
    """How far records of other days and machines are off from these results."""
    medians = {(each.release, *key): figure.median for each in series for key, figure in each.figures.items()}
    machine, day = series[0].machine, f"{series[0].date:%Y-%m-%d}"
    here = MeasuredAt(machine["machine"], machine.get("cpu", ""), day)
    return elsewhere.differences(medians, here, recorded)


def failures_since(shown: ReleaseResults, failures: Sequence[stored.FailedRun]) -> list[str]:
    """What happened in failed runs of the same series, of this release or a newer one, which is not shown."""
    return [
        run.sentence
        for run in failures
        if (run.machine, run.environment) == (shown.machine["machine"], shown.environment_name)
        and Version(run.release) >= Version(shown.release)
    ]


def default(results: Path = ROOT / "results", own: str | None = None) -> ReleaseResults:
    """The results that README.md shows, the first of `of_release`.

    Raises PoolstartError if there are none, or a file is damaged.
    """
    return of_release(results=results, own=own)[0]


def is_series_of(result: Results, driver: Driver) -> bool:
    """Whether a file belongs to a series of the default profile with this driver, made by `asv run`."""
    tags = {**result.params, **result.env_vars}
    return stored.has_default_profile(result, driver) and all(name in tags for name in DEFAULT_SERIES_TAGS)


def release_results(result: Results, results: Path, own: str) -> ReleaseResults:
    """Raises ValueError if the file has no date of measurement."""
    date = stored.measured(result)
    if date is None:
        raise ValueError("it does not say when it was measured")
    hardware = stored.hardware(result, results)
    metadata = stored.run_metadata(result, results)
    return ReleaseResults(
        release=str(Version(result.commit_hash)),
        machine=hardware,
        own=hardware["machine"] == own,
        environment={**result.params, **result.env_vars},
        environment_name=result.env_name,
        date=date,
        figures=dict(figures(result)),
        rejected=metadata.get("rejected", {}),
        busy=str(metadata.get("busy", "")),
        counts=counts(result),
    )


def counts(result: Results) -> dict[tuple[str, str], float]:
    """What repeats exactly in a file, by name and strategy."""
    return {
        (benchmark.rpartition(".track_")[2], each.parameters[0]): each.value
        for benchmark in result.get_all_result_keys()
        if benchmark.startswith(COUNTS)
        for each in stored.values(result, benchmark)
    }


def shown_metrics() -> list[Metric]:
    """The metrics of all tables that are made of results, the site's among them."""
    columns = [column.metric for column in metrics.summary_columns()]
    tables = (Table.RESULTS, Table.SITE)
    return list(dict.fromkeys((*(each for table in tables for each in metrics.shown_in(table)), *columns)))


def figures(result: Results) -> Iterator[tuple[tuple[str, str, str], MedianQuartiles]]:
    """The figures of a file, with metric, strategy and DataFrame setting."""
    for metric in shown_metrics():
        if metric.benchmark not in result.get_all_result_keys():
            continue
        for stored_value in stored.values(result, metric.benchmark):
            if stored_value.quartiles:
                strategy, dataframe = stored_value.parameters
                interval = stored_value.interval or (-inf, inf)
                yield (
                    (metric.id, strategy, dataframe),
                    MedianQuartiles(
                        stored_value.value,
                        *stored_value.quartiles,
                        interval,
                        ParentFigures(stored_value.samples, stored_value.count),
                    ),
                )
