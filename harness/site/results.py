"""The figures of the site: asv's results by test bed, release and cell, as far as they can be read."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from asv.results import Results
from asv.util import UserError
from packaging.version import InvalidVersion, Version

from harness.answer.ranking import MedianRange
from harness.answer.results import (
    DEFAULT_SERIES_TAGS,
    ReleaseResults,
    hardware,
    preference,
)
from harness.console.numbers import digits, display_unit, plus_minus, two_digits
from harness.lifecycles import metrics
from harness.lifecycles.cell import DATAFRAMES
from harness.lifecycles.metrics import CONTROL_BENCHMARK, Table
from harness.releases import machine, stored
from harness.system import busy, conditions, files, pythons
from harness.system.errors import PoolstartError

NOT_RESULTS = ("machine.json", "benchmarks.json")

COUNTS = "exact."


@dataclass(frozen=True)
class MedianInterval(MedianRange):
    """A median, and asv's 99 % interval of it unless it is the range of many runs."""

    def text(self) -> str:
        return digits(self.median * display_unit(self.unit)[1])

    @property
    def half(self) -> float:
        """Half of the interval in the unit that is shown, with the digits that are shown."""
        return float(digits((self.high - self.low) / 2 * display_unit(self.unit)[1]))

    def plus_minus(self) -> str:
        """`±0.95`, in the unit that is shown."""
        return plus_minus(self.low, self.high, display_unit(self.unit)[1])


@dataclass(frozen=True)
class MeanInterval(MedianInterval):
    """A figure of the answer: `median` is the mean over several releases."""

    def text(self) -> str:
        return two_digits(self.median * display_unit(self.unit)[1])


Cell = tuple[str, str]
"""Strategy and DataFrame setting."""


@dataclass(frozen=True)
class ReleaseFigures:
    """What was measured of one SQLAlchemy release."""

    version: str
    measured: datetime | None
    figures: dict[tuple[str, str, str], MedianInterval]
    """By metric, strategy and DataFrame setting; what was not measured is missing."""
    controls: dict[str, MedianInterval]
    """The start of a worker that does nothing, by start method."""
    counts: dict[tuple[str, str], float]
    """What repeats exactly, by name and strategy."""
    busy: str = ""
    """What to say before the figures if the machine was busy; empty otherwise."""

    def of(self, metric: str, strategy: str, dataframe: str) -> MedianInterval | None:
        return self.figures.get((metric, strategy, dataframe))

    def range_of(self, strategy: str, metric: str, dataframe: str) -> MedianInterval | None:
        """The same in the order of the answer's functions; None of a busy machine."""
        return None if self.busy else self.of(metric, strategy, dataframe)

    def figures_with(self, dataframe: str) -> Callable[[str, str], MedianInterval | None]:
        """By strategy and metric, the figures of one DataFrame setting: none of a busy machine."""
        if self.busy:
            return lambda strategy, metric: None
        return lambda strategy, metric: self.of(metric, strategy, dataframe)

    @property
    def strategies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(strategy for _, strategy, _ in self.figures))

    @property
    def dataframes(self) -> list[str]:
        """The DataFrame settings that were measured, in the suite's order."""
        measured = dict.fromkeys(dataframe for _, _, dataframe in self.figures)
        return [
            *(name for name in DATAFRAMES if name in measured),
            *(name for name in measured if name not in DATAFRAMES),
        ]


@dataclass(frozen=True)
class TestBed:
    """One machine with one environment and server: figures of two are never mixed."""

    machine: dict[str, str]
    environment: str
    """asv's name of it."""
    conditions: dict[str, str]
    """Versions of what decides the figures besides SQLAlchemy."""
    releases: dict[str, ReleaseFigures] = field(default_factory=dict)
    """By version, in version order."""

    @property
    def key(self) -> str:
        return f"{self.machine.get('machine', '')} {self.environment}"

    @property
    def server(self) -> str:
        return self.conditions.get("postgres", "unknown server")

    @property
    def python(self) -> str:
        return self.conditions.get("python", "")

    @property
    def is_reference(self) -> bool:
        """Whether it has the Python under which releases were compared."""
        return self.python in ("", pythons.REFERENCE)

    @property
    def name(self) -> str:
        python = f", Python {self.python}" if self.python else ""
        return f"{self.machine.get('machine', 'unknown machine')}, {self.server}{python}"

    def preference(self, own: str) -> tuple[Any, ...]:
        """A sort key, see `harness.answer.results.preference`.

        Results of a series that README.md cannot show come last.
        """
        known = all(name in self.conditions for name in DEFAULT_SERIES_TAGS)
        name, newest, many = self.machine.get("machine", ""), self.newest, len(self.releases)
        of = name, self.server, self.python
        return known, *preference(*of, many, newest.version, newest.measured, own)

    @property
    def newest(self) -> ReleaseFigures:
        return list(self.releases.values())[-1]

    @property
    def hardware(self) -> str:
        return hardware(self.machine)

    @property
    def software(self) -> str:
        known = {"postgres": "PostgreSQL", "python": "Python"}
        return ", ".join(
            f"{known.get(name, name)} {version}" for name, version in self.conditions.items() if version
        )


@dataclass(frozen=True)
class ResultsOnRecord:
    """A directory of results, as far as it can be read."""

    test_beds: tuple[TestBed, ...]
    """In the order of `harness.answer.results.preference`: the results of this machine first."""
    remarks: tuple[str, ...]
    """What is not shown, and why."""


def load(directory: Path, own: str | None = None) -> ResultsOnRecord:
    """Everything under `directory` that can be read; the remarks name the rest.

    `own` is the name of this machine's results.
    """
    beds: dict[tuple[str, str], TestBed] = {}
    remarks: list[str] = []
    other_series = 0
    versions = known_versions(directory, remarks)
    runs = {path.parent.name: runs_on_file(path.parent) for path in directory.glob(f"*/{conditions.FILE}")}
    failed = [run.sentence for name, rows in runs.items() for run in stored.failed_runs(name, rows)]
    remarks += [f"{sentence[0].upper()}{sentence[1:]}" for sentence in failed]
    for path in sorted(directory.glob("*/*.json")):
        if path.name in NOT_RESULTS:
            continue
        name = f"{path.parent.name}/{path.name}"
        try:
            result = Results.load(str(path))
            version = str(Version(result.commit_hash))
            figures = release_figures(result, version, versions)
        except (UserError, InvalidVersion, ValueError, KeyError, TypeError, AttributeError, OSError):
            remarks.append(f"{name} is damaged")
            continue
        if any(tag in result.env_vars for tag in stored.OTHER_SERIES_TAGS):
            other_series += 1
        elif not figures.figures:
            remarks.append(f"{name} has no figure of a worker")
        else:
            key = (path.parent.name, result.env_name)
            if key not in beds:
                beds[key] = bed_of(result, directory, remarks)
            why = runs.get(path.parent.name, {}).get((version, result.env_name), {}).get("busy", "")
            beds[key].releases[version] = replace(figures, busy=busy.sentence(why))
    if other_series:
        remarks.append(
            f"{other_series} results files of another driver or profile have no pages of their own:"
            " the chooser shows drivers"
        )
    own_name = machine.own_name() if own is None else own
    in_order = sorted(
        map(in_version_order, beds.values()), key=lambda bed: bed.preference(own_name), reverse=True
    )
    return ResultsOnRecord(tuple(in_order), tuple(remarks))


def answer(bed: TestBed, known: Iterable[ReleaseResults]) -> ReleaseFigures:
    """The newest release of a test bed with the figures of the answer, as README.md has them.

    As it was measured where there is no answer, for example because a record is damaged.
    """
    newest, measured = bed.newest, known_answer(bed, known)
    if measured is None:
        return newest
    figures = {
        (metric, strategy, dataframe): MeanInterval(
            found.median, found.low, found.high, figure.unit, found.by_release
        )
        for (metric, strategy, dataframe), figure in newest.figures.items()
        if (found := measured.range_of(strategy, metric, dataframe))
    }
    return replace(newest, figures={**newest.figures, **figures})


def known_answer(bed: TestBed, known: Iterable[ReleaseResults]) -> ReleaseResults | None:
    """The results of the same series and release."""
    place = bed.machine.get("machine"), bed.environment, bed.newest.version
    return next(
        (each for each in known if (each.machine["machine"], each.environment_name, each.release) == place),
        None,
    )


def bed_of(result: Results, directory: Path, remarks: list[str]) -> TestBed:
    """The test bed of a results file, without releases."""
    try:
        described = stored.hardware(result, directory)
    except (PoolstartError, KeyError, ValueError, TypeError):
        remarks.append(f"{result.params.get('machine')}/conditions.jsonl is damaged")
        described = {name: str(result.params[name]) for name in result.params if result.params[name]}
    conditions = {
        name: str(value)
        for name, value in {**result.params, **result.env_vars}.items()
        if name not in stored.HARDWARE
    }
    return TestBed(described, result.env_name, conditions)


def runs_on_file(machine: Path) -> conditions.Runs:
    """What is on file about the runs of a machine; empty if the file is damaged, which `bed_of` says."""
    try:
        return conditions.load(machine)
    except PoolstartError:
        return {}


def in_version_order(bed: TestBed) -> TestBed:
    return replace(bed, releases=dict(sorted(bed.releases.items(), key=lambda item: Version(item[0]))))


def known_versions(directory: Path, remarks: list[str]) -> dict[str, str]:
    """The version of each benchmark: results of another version are not comparable."""
    path = directory / "benchmarks.json"
    if not path.exists():
        remarks.append("benchmarks.json is missing: results of older benchmarks cannot be recognized")
        return {}
    try:
        with files.reading(path, stored.REMEDY):
            written = json.loads(path.read_text())
            return {name: fields["version"] for name, fields in written.items() if isinstance(fields, dict)}
    except PoolstartError:
        remarks.append("benchmarks.json cannot be read: results of older benchmarks cannot be recognized")
        return {}


def release_figures(result: Results, version: str, versions: dict[str, str]) -> ReleaseFigures:
    """The figures of a results file that are of the current benchmarks."""
    keys = set(result.get_all_result_keys())
    figures: dict[tuple[str, str, str], MedianInterval] = {}
    for metric in metrics.shown_in(Table.SITE):
        if metric.benchmark in keys and current(result, metric.benchmark, versions):
            for names, figure in values(result, metric.benchmark, metric.unit):
                if len(names) == 2:
                    figures[metric.id, names[0], names[1]] = figure
    controls = {
        names[0]: figure
        for names, figure in (
            values(result, CONTROL_BENCHMARK, "seconds") if CONTROL_BENCHMARK in keys else ()
        )
        if len(names) == 1
    }
    counts = {
        (benchmark.rpartition(".track_")[2], names[0]): figure.median
        for benchmark in keys
        if benchmark.startswith(COUNTS) and current(result, benchmark, versions)
        for names, figure in values(result, benchmark, "")
    }
    return ReleaseFigures(version, stored.measured(result), figures, controls, counts)


def current(result: Results, benchmark: str, versions: dict[str, str]) -> bool:
    """Whether a result is of the current version of its benchmark, as far as that is known."""
    return versions.get(benchmark) in (None, result.benchmark_version.get(benchmark))


def values(result: Results, benchmark: str, unit: str) -> Iterator[tuple[tuple[str, ...], MedianInterval]]:
    """The values of a benchmark with their parameters; without an interval, it has no width."""
    for stored_value in stored.values(result, benchmark):
        low, high = stored_value.interval or (stored_value.value, stored_value.value)
        yield stored_value.parameters, MedianInterval(stored_value.value, low, high, unit)


def shown_figures(
    figure: MedianInterval | None, precision: int = 4
) -> tuple[float | None, float | None, float | None]:
    """Median and interval in the unit that pages show, to so many significant digits."""
    if figure is None:
        return None, None, None
    factor = display_unit(figure.unit)[1]
    median, low, high = (
        float(f"{value * factor:.{precision}g}") for value in (figure.median, figure.low, figure.high)
    )
    return median, low, high


def slug(text: str) -> str:
    """A text as a part of an address."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
