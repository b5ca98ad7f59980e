"""Reads asv's result files; no other module does.

A damaged file is named, because a table without it lacks figures, or shows those of another release.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product
from math import isfinite
from pathlib import Path
from typing import Any, TypeGuard

from asv.machine import Machine
from asv.results import Results
from asv.util import UserError, load_json
from packaging.version import Version

from harness.drivers import MEASURED, Driver
from harness.lifecycles import metrics
from harness.records.provenance import Provenance
from harness.system import conditions, files, pythons
from harness.system.errors import PoolstartError

OTHER_SERIES_TAGS = ("driver", "profile", "dataframe_mib", "strategies", "build")
"""Tags of results that are not of the default series (`harness.lifecycles.profile.tags`)."""

HARDWARE = ("machine", "arch", "cpu", "num_cpu", "os", "ram")
"""The data about the machine in a result file, by asv's names."""

REMEDY = "restore it with git, or remove it and measure again"


@dataclass(frozen=True)
class StoredValue:
    """The stored result of one combination of a benchmark's parameters, in the benchmark's unit."""

    parameters: tuple[str, ...]
    """Values without the quotes of their `repr`, which asv stores."""
    value: float
    """The median of the samples, or the only value."""
    samples: tuple[float, ...]
    """All samples; only the value if the benchmark returned no samples, or asv was not to store them."""
    count: int
    """How many samples the value is the median of."""
    quartiles: tuple[float, float] | None
    interval: tuple[float, float] | None
    """The 99 % confidence interval of the median; None, like the quartiles, if asv stored no statistics."""


@dataclass(frozen=True)
class FailedRun:
    """A run that did not measure all of its blocks."""

    release: str
    machine: str
    environment: str
    """asv's name of the environment."""
    date: str
    reason: str
    blocks: int
    """The number of stored blocks, from this run or an earlier one."""

    @property
    def sentence(self) -> str:
        """The failure, and what to do about it."""
        of = f"; the figures are of {self.blocks} blocks" if self.blocks else ""
        return (
            f"the run of SQLAlchemy {self.release} on {self.machine}, {self.date}, failed: {self.reason}{of};"
            f" measure it again by `asv run {self.release}^!`"
        )


def failed_runs(machine: str, runs: conditions.Runs) -> list[FailedRun]:
    """Those of a machine's runs that failed, the last release first."""
    failed = [
        FailedRun(
            release,
            machine,
            environment,
            row["failed"]["date"],
            row["failed"]["reason"],
            len(row.get("blocks", ())),
        )
        for (release, environment), row in runs.items()
        if row.get("failed")
    ]
    return sorted(failed, key=lambda run: Version(run.release), reverse=True)


_save = Results.save

BY_BENCHMARK = (
    "_results", "_samples", "_stats", "_benchmark_params", "_profiles", "_started_at", "_duration",
    "_benchmark_version",
)  # fmt: skip
"""The attributes of asv's `Results` that have an entry for each benchmark."""


def save_measured(results: Results, directory: str) -> None:
    """asv's `Results.save`, except that a benchmark that failed altogether replaces nothing.

    asv would replace the results of an earlier run by nulls. Without any value, no file is written.
    """
    failed = [name for name, code in results.errcode.items() if code and not has_value(results, name)]
    path = Path(directory) / results._filename
    earlier = earlier_results(path)
    for name in failed:
        for attribute in BY_BENCHMARK:
            values = getattr(results, attribute)
            values.pop(name, None)
            if earlier and name in getattr(earlier, attribute):
                values[name] = getattr(earlier, attribute)[name]
    if earlier or not failed or results.get_all_result_keys():
        _save(results, directory)


def earlier_results(path: Path) -> Results | None:
    """The results on file; None without a file, or if it is damaged and so will be replaced."""
    try:
        return Results.load(str(path)) if path.exists() else None
    except (ValueError, UserError):
        return None


def has_value(results: Results, benchmark: str) -> bool:
    """Whether any combination of a benchmark's parameters has a finite value."""
    return any(map(is_finite, results._results.get(benchmark) or ()))


def results(directory: Path) -> Iterator[tuple[Path, Results]]:
    """The path and content of every result file below a directory; a warning names each damaged one.

    Raises `PoolstartError` if all are damaged.
    """
    damaged: list[PoolstartError] = []
    read = 0
    for path in sorted(directory.glob("*/*-*.json")):
        try:
            result = loaded(path)
        except PoolstartError as error:
            damaged.append(error)
            continue
        read += 1
        yield path, result
    if damaged and not read:
        raise damaged[0]
    for each in damaged:
        warn(str(each))


@cache
def warn(message: str) -> None:
    """Print a warning, once."""
    print(f"poolstart: warning: {message}; it is left out", file=sys.stderr)


def values(
    result: Results, benchmark: str, parameters: Sequence[Sequence[str]] | None = None
) -> Iterator[StoredValue]:
    """Every finite value of one benchmark; combinations that failed or were skipped are left out.

    `parameters` are the values of each parameter of the benchmark, as asv writes them; by default those in
    the file.
    """
    params = result.get_result_params(benchmark) if parameters is None else parameters
    rows = zip(
        product(*params),
        result.get_result_value(benchmark, params),
        result.get_result_samples(benchmark, params),
        result.get_result_stats(benchmark, params),
        strict=True,
    )
    for names, value, samples, stats in rows:
        if not is_finite(value):
            continue
        yield StoredValue(
            plain(names),
            float(value),
            tuple(float(sample) for sample in samples or [value] if is_finite(sample)),
            int((stats or {}).get("repeat") or len(samples or [value])),
            bounds(stats, "q_25", "q_75"),
            bounds(stats, "ci_99_a", "ci_99_b"),
        )


def driver_of(result: Results) -> str:
    """The driver with which a file's figures were measured: `psycopg` for the tag `psycopg-3.3.9`."""
    return str(result.env_vars.get("driver", "")).rpartition("-")[0] or MEASURED.name


def has_default_profile(result: Results, driver: Driver = MEASURED) -> bool:
    """Whether a file is of the default profile with this driver, and of an ordinary build of Python."""
    others = (tag for tag in OTHER_SERIES_TAGS if tag != "driver")
    return driver_of(result) == driver.name and not any(tag in result.env_vars for tag in others)


def is_reference(result: Results) -> bool:
    """Whether a file belongs to the series that releases are compared by: psycopg2, reference Python."""
    return has_default_profile(result) and result.params.get("python") in (None, "", pythons.REFERENCE)


def plain(names: Sequence[str]) -> tuple[str, ...]:
    """Parameter values without the quotes that asv stores, `spawn` for `'spawn'`."""
    return tuple(name.strip("'") for name in names)


def is_finite(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and isfinite(value)


def bounds(stats: dict[str, Any] | None, low: str, high: str) -> tuple[float, float] | None:
    """Two of asv's statistics; None unless both are stored and finite."""
    if stats is None:
        return None
    lower, upper = stats.get(low), stats.get(high)
    return (float(lower), float(upper)) if is_finite(lower) and is_finite(upper) else None


def measured(result: Results) -> datetime | None:
    """When the latest timed or memory benchmark of a file was measured; None if the file does not say.

    Counts and verdicts are ignored, since they may be added later, on a machine that has changed.
    """
    modules = metrics.benchmark_modules()
    moments = [
        moment
        for benchmark, moment in result.started_at.items()
        if moment and benchmark.partition(".")[0] in modules
    ] or [moment for moment in result.started_at.values() if moment]
    return datetime.fromtimestamp(max(moments) / 1000, UTC) if moments else None


def loaded(path: Path) -> Results:
    """The content of a result file. Raises `PoolstartError` if it, or its machine.json, is damaged."""
    machine = path.with_name("machine.json")
    try:
        with files.reading(machine, REMEDY):
            name = load_json(str(machine), Machine.api_version)["machine"]
        with files.reading(path, REMEDY):
            return Results.load(str(path), machine_name=name)
    except UserError as error:
        raise PoolstartError(str(error).rstrip("."), REMEDY) from None


def provenances(directory: Path, benchmarks: str) -> list[Provenance] | None:
    """The provenance of each file with results of `benchmarks`, a regular expression of their names.

    None if there are none. Raises `PoolstartError` if a file is damaged.
    """
    found = []
    for _, result in results(directory):
        moments = [
            moment for name, moment in result.started_at.items() if moment and re.match(benchmarks, name)
        ]
        if moments:
            when = datetime.fromtimestamp(max(moments) / 1000, UTC).isoformat(timespec="seconds")
            machine = result.params.get("machine", "")
            found.append(Provenance(release=result.commit_hash, date=when, machine=machine))
    return found or None
