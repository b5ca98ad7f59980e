"""Series: one metric of one cell over the releases, as asv's results hold it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import log
from pathlib import Path
from statistics import median, stdev

import numpy as np
from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import Results
from packaging.version import Version

from harness.history.fit import Values
from harness.lifecycles.metrics import CONTROL_BENCHMARK, MIN_RELATIVE_CHANGE
from harness.releases import stored
from harness.system import files


@dataclass(frozen=True)
class SeriesKey:
    """Which series: figures of two machines, environments or servers are never mixed."""

    machine: str
    environment: str
    """asv's name of it, which includes the server."""
    benchmark: str
    parameters: tuple[str, ...]
    """Strategy and DataFrame setting; of a control its start method."""

    @property
    def metric(self) -> str:
        """`first_query` of `query.Query.track_first_query`."""
        return self.benchmark.rpartition(".")[2].removeprefix("track_")

    @property
    def cell(self) -> str:
        return ", ".join(self.parameters)

    def with_(self, benchmark: str, parameters: tuple[str, ...]) -> "SeriesKey":
        """The key of another series of the same machine and environment."""
        return replace(self, benchmark=benchmark, parameters=parameters)


@dataclass(frozen=True)
class Series:
    """One metric of one cell over the releases."""

    key: SeriesKey
    unit: str
    releases: tuple[str, ...]
    """In version order."""
    samples: tuple[tuple[float, ...], ...]
    """Of each release, in `unit`: one sample a parent."""

    @property
    def is_count(self) -> bool:
        """Whether it repeats exactly, so that any change is one of SQLAlchemy."""
        return self.unit not in MIN_RELATIVE_CHANGE

    @cached_property
    def medians(self) -> Values:
        """The median of each release's samples, in `unit`."""
        # numpy's median takes fifty times as long for a handful of samples.
        return np.array([median(samples) for samples in self.samples], dtype=np.float64)

    @cached_property
    def logs(self) -> Values:
        """The logarithms of the medians, whose differences are ratios."""
        return np.log(self.medians)

    @cached_property
    def sampling_error(self) -> float:
        """One standard deviation of a release's logarithm, estimated from its own samples.

        The median over the releases; 0 where no release has several samples.
        """
        errors = [
            # The standard error of a median is 1.25 times that of a mean, for normal noise.
            1.25 * stdev(map(log, samples)) / len(samples) ** 0.5
            for samples in self.samples
            if len(samples) > 1 and min(samples) > 0
        ]
        return median(errors) if errors else 0.0

    def halved(self) -> "Series":
        """The series with every second sample of each release."""
        return replace(self, samples=tuple(samples[::2] for samples in self.samples))


def load(results: Path) -> list[Series]:
    """Read all series of a folder of asv's results that have a strategy and a DataFrame, and their controls.

    Raises `PoolstartError` for a damaged results file.
    """
    config = Config.from_json({"results_dir": str(results), "repo": ".", "benchmark_dir": "benchmarks"})
    benchmarks = Benchmarks.load(config)
    by_key: dict[SeriesKey, dict[str, tuple[float, ...]]] = {}
    units: dict[SeriesKey, str] = {}
    for path, result in stored.results(results):
        with files.reading(path, stored.REMEDY):
            release = str(Version(result.commit_hash))
            for key, samples, unit in of_file(result, benchmarks):
                by_key.setdefault(key, {})[release] = samples
                units[key] = unit
    return [
        Series(key, units[key], ordered, tuple(by_release[release] for release in ordered))
        for key, by_release in by_key.items()
        for ordered in [tuple(sorted(by_release, key=Version))]
    ]


def of_file(result: Results, benchmarks: Benchmarks) -> Iterator[tuple[SeriesKey, tuple[float, ...], str]]:
    """The samples that one results file adds to each series, and the series' unit."""
    for name in sorted(result.get_result_keys(benchmarks)):
        benchmark = benchmarks[name]
        if name == CONTROL_BENCHMARK or benchmark["param_names"] == ["strategy", "dataframe"]:
            for stored_value in stored.values(result, name, benchmark["params"]):
                key = SeriesKey(result.params["machine"], result.env_name, name, stored_value.parameters)
                yield key, stored_value.samples, benchmark["unit"]
