"""asv's readable results files by test bed; all figures that are shown are read here."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

from asv.results import Results
from packaging.version import Version

from harness.answer.figures import ranking
from harness.answer.figures.results import Figure, ReleaseResults
from harness.history.level import ParentFigures
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Metric, Table
from harness.releases import machine, stored
from harness.system import conditions, files, pythons
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

DEFAULT_SERIES_TAGS = ("postgres", "psycopg2-binary", "pandas")
"""Tags that every result of the default series has; results of `asv run -E existing` lack them."""

COUNTS = "exact."
"""The prefix of benchmarks whose results are counts."""


@dataclass(frozen=True)
class TestBed:
    """One machine with one environment and server. Figures of different test beds are never mixed."""

    releases: Mapping[str, ReleaseResults]
    """By version, in version order."""

    @property
    def newest(self) -> ReleaseResults:
        return list(self.releases.values())[-1]

    @property
    def key(self) -> str:
        return f"{self.newest.machine.get('machine', '')} {self.newest.environment_name}"

    @property
    def server(self) -> str:
        return self.newest.environment.get("postgres", "unknown server")

    @property
    def python(self) -> str:
        return self.newest.environment.get("python", "")

    @property
    def is_reference(self) -> bool:
        """Whether this is the Python under which releases are compared."""
        return self.python in ("", pythons.REFERENCE)

    @property
    def is_default(self) -> bool:
        """Whether `asv run` measured it in an environment of its own, as the answer requires."""
        tagged = all(name in self.newest.environment for name in DEFAULT_SERIES_TAGS)
        return tagged and self.newest.date is not None

    @property
    def name(self) -> str:
        python = f", Python {self.python}" if self.python else ""
        return f"{self.newest.machine.get('machine', 'unknown machine')}, {self.server}{python}"

    @property
    def software(self) -> str:
        known = {"postgres": "PostgreSQL", "python": "Python"}
        versions = self.newest.environment.items()
        return ", ".join(f"{known.get(name, name)} {version}" for name, version in versions if version)

    @property
    def preference(self) -> tuple[Any, ...]:
        """A sort key; the series to show first has the largest.

        The criteria, in this order: the reference Python, whose series is the answer; enough releases for
        figures that are means; this machine; the embedded server, which every user can have; the newest
        release; the latest results. README.md, the site and the page of claims use this order to choose one
        series; `poolstart results` shows this machine's first.
        """
        newest = self.newest
        return (
            self.is_default,
            self.python == pythons.REFERENCE,
            len(self.releases) >= ranking.MIN_PAIRS,
            newest.own,
            self.server.startswith("embedded"),
            Version(newest.release),
            newest.date.timestamp() if newest.date else 0.0,
        )


@dataclass(frozen=True)
class ResultsOnRecord:
    """The readable results of a directory."""

    directory: Path
    test_beds: tuple[TestBed, ...]
    """The test beds of psycopg2 with the default profile, in the order of `TestBed.preference`."""
    other_drivers: tuple[TestBed, ...]
    """The test beds of other drivers with the default profile."""
    damaged: tuple[PoolstartError, ...]
    """The files that cannot be read."""
    failures: tuple[stored.FailedRun, ...]
    remarks: tuple[str, ...]
    """Sentences on what the site does not show, and why."""


def load(directory: Path = ROOT / "results", own: str | None = None) -> ResultsOnRecord:
    """Everything under `directory` that can be read; `own` is the name of this machine's results."""
    own = machine.own_name() if own is None else own
    damaged: list[PoolstartError] = []
    remarks: list[str] = []
    versions = benchmark_versions(directory, remarks)
    runs: dict[str, conditions.Runs] = {}
    for path in sorted(directory.glob(f"*/{conditions.FILE}")):
        try:
            runs[path.parent.name] = conditions.load(path.parent)
        except PoolstartError as error:
            damaged.append(error)
    ours: list[ReleaseResults] = []
    of_drivers: list[ReleaseResults] = []
    others = 0
    for path in sorted(directory.glob("*/*-*.json")):
        try:
            with files.reading(path, stored.REMEDY):
                found = release_results(stored.loaded(path), runs.get(path.parent.name, {}), versions)
                found = replace(found, own=found.machine["machine"] == own)
        except PoolstartError as error:
            damaged.append(error)
            continue
        tags = [tag for tag in stored.OTHER_SERIES_TAGS if tag in found.environment]
        others += bool(tags)
        if not found.figures:
            remarks.append(f"{path.parent.name}/{path.name} has no figure of a worker")
        elif not tags:
            ours.append(found)
        elif tags == ["driver"]:
            of_drivers.append(found)
    if others:
        remarks.append(
            f"{others} results files of another driver or profile have no pages of their own:"
            " the chooser shows drivers"
        )
    failures = [run for name, rows in runs.items() for run in stored.failed_runs(name, rows)]
    sentences = [f"{run.sentence[0].upper()}{run.sentence[1:]}" for run in failures]
    return ResultsOnRecord(
        directory,
        grouped(ours),
        grouped(of_drivers),
        tuple(damaged),
        tuple(failures),
        (*sentences, *map(str, damaged), *remarks),
    )


def grouped(measured: Sequence[ReleaseResults]) -> tuple[TestBed, ...]:
    """The results by test bed, in the order of `TestBed.preference`."""
    beds: dict[tuple[str, str], dict[str, ReleaseResults]] = {}
    for each in sorted(measured, key=lambda each: Version(each.release)):
        beds.setdefault((each.machine["machine"], each.environment_name), {})[each.release] = each
    return tuple(sorted(map(TestBed, beds.values()), key=lambda bed: bed.preference, reverse=True))


def benchmark_versions(directory: Path, remarks: list[str]) -> dict[str, str]:
    """The current version of each benchmark; results of another version are not comparable."""
    path = directory / "benchmarks.json"
    try:
        with files.reading(path, stored.REMEDY):
            written = json.loads(path.read_text())
            return {name: fields["version"] for name, fields in written.items() if isinstance(fields, dict)}
    except PoolstartError as error:
        remarks.append(f"results of older benchmarks cannot be recognized: {error}")
        return {}


def release_results(result: Results, runs: conditions.Runs, versions: Mapping[str, str]) -> ReleaseResults:
    """The figures of the current benchmarks in a results file; `runs` are those of its machine."""
    release = str(Version(result.commit_hash))
    run = runs.get((release, result.env_name), {})

    def values(benchmark: str) -> Iterator[stored.StoredValue]:
        version = result.benchmark_version.get(benchmark)
        if benchmark in result.get_all_result_keys() and versions.get(benchmark) in (None, version):
            yield from stored.values(result, benchmark)

    # Counts may be added later, under another kernel, which asv then stores: take the one of the run.
    kernel = run.get("facts", {}).get("kernel")
    machine = {name: str(result.params[name]) for name in stored.HARDWARE if result.params.get(name)}
    tags = {**result.params, **result.env_vars}
    return ReleaseResults(
        release,
        figures={
            (metric.id, *value.parameters): figure(value, metric.unit)
            for metric in shown_metrics()
            for value in values(metric.benchmark)
            if len(value.parameters) == 2
        },
        counts={
            (name.rpartition(".track_")[2], value.parameters[0]): value.value
            for name in result.get_all_result_keys()
            if name.startswith(COUNTS)
            for value in values(name)
        },
        date=stored.measured(result),
        machine={**machine, "os": f"Linux {kernel}"} if kernel else machine,
        environment={name: str(value) for name, value in tags.items() if name not in stored.HARDWARE},
        environment_name=result.env_name,
        rejected=run.get("rejected", {}),
        busy=str(run.get("busy", "")),
    )


def shown_metrics() -> list[Metric]:
    """The metrics of all tables that show results, on the site too."""
    columns = [column.metric for column in metrics.summary_columns()]
    tables = (Table.RESULTS, Table.SITE)
    return list(dict.fromkeys((*(each for table in tables for each in metrics.shown_in(table)), *columns)))


def figure(value: stored.StoredValue, unit: str) -> Figure:
    low, high = value.interval or (-inf, inf)
    parents = ParentFigures(value.samples, value.count)
    return Figure(value.value, low, high, unit, quartiles=value.quartiles, parents=parents)
