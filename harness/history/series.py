"""Series: one metric or count of one cell over the releases, as asv's results hold it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from asv.benchmarks import Benchmarks
from asv.config import Config
from asv.results import Results
from packaging.version import Version

from harness.lifecycles.metrics import MIN_RELATIVE_CHANGE
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
    """Strategy, and DataFrame setting."""

    @property
    def metric(self) -> str:
        """`first_query` of `query.Query.track_first_query`."""
        return self.benchmark.rpartition(".")[2].removeprefix("track_")


@dataclass(frozen=True)
class Series:
    """One metric or count of one cell over the releases."""

    key: SeriesKey
    unit: str
    values: dict[str, float] = field(default_factory=dict)
    """The median of each release in `unit`, in version order."""

    @property
    def is_count(self) -> bool:
        """Whether it repeats exactly, so that any change is one of SQLAlchemy."""
        return self.unit not in MIN_RELATIVE_CHANGE


def load(results: Path) -> list[Series]:
    """Read the series of a folder of asv's results that have a strategy and a DataFrame.

    Those of another driver, Python or profile are left out: releases are compared without them.

    Raises `PoolstartError` for a damaged results file.
    """
    config = Config.from_json({"results_dir": str(results), "repo": ".", "benchmark_dir": "benchmarks"})
    benchmarks = Benchmarks.load(config)
    found: dict[SeriesKey, Series] = {}
    in_order = []
    for path, result in stored.results(results):
        with files.reading(path, stored.REMEDY):
            if stored.is_reference(result):
                in_order.append((Version(result.commit_hash), path, result))
    for release, path, result in sorted(in_order, key=lambda item: item[:2]):
        with files.reading(path, stored.REMEDY):
            for key, value, unit in of_file(result, benchmarks):
                found.setdefault(key, Series(key, unit)).values[str(release)] = value
    return list(found.values())


def of_file(result: Results, benchmarks: Benchmarks) -> Iterator[tuple[SeriesKey, float, str]]:
    """The value that one results file adds to each series, and the series' unit."""
    for name in sorted(result.get_result_keys(benchmarks)):
        benchmark = benchmarks[name]
        if benchmark["param_names"] == ["strategy", "dataframe"]:
            for stored_value in stored.values(result, name, benchmark["params"]):
                key = SeriesKey(result.params["machine"], result.env_name, name, stored_value.parameters)
                yield key, stored_value.value, benchmark["unit"]
