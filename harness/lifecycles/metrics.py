"""The registry of metrics: what is read from the lifecycle of a worker.

Each metric is defined once, in `METRICS`. Benchmarks, tables, changes, site and README query the registry
when they are used, not when a module is imported. CONTRIBUTING.md says what else a new metric needs.

Every metric is a time or a size of memory: a larger value is always worse.

Every benchmark process imports this module, and no measured process does.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from harness.console import numbers

CONTROL_BENCHMARK = "controls.Controls.track_start"
"""asv's name of the results of bare start methods, which are measured beside the metrics."""

MIN_RELATIVE_CHANGE = {"seconds": 0.01, "bytes": 0.005}
"""The smallest relative change that counts, by unit. A smaller one, however certain, comes from the layout
of memory or from other work of the machine. A unit that is not listed belongs to counts, which repeat
exactly."""

MIN_ABSOLUTE_CHANGE = {"seconds": 5e-6, "bytes": 64 * 1024}
"""The smallest absolute change that counts, by unit.

How many of its parent's pages a forked worker writes to depends on where objects happen to be placed, and
that on as little as the length of a path. The same release installed in another folder used seven pages more
(0.8 %, 0.1 to 1.5 by 16 pairs), and changes that add no memory ten to seventeen pages. Each of these pages
has to be copied first: the same release in two other folders took 2.7 microseconds less and 4.2 more to make
an engine, which takes 30 (20 pairs each)."""


class Table(Enum):
    """A table that shows metrics."""

    SUMMARY = auto()
    """README.md and `poolstart` without a command."""
    SUMMARY_DATAFRAME = auto()
    """A second column in the same tables: with a DataFrame in the parent."""
    RESULTS = auto()
    """`poolstart results` and docs/results.md."""
    TERMINAL = auto()
    """`poolstart measure`; docs/results.md explains these metrics."""
    COMPARISON = auto()
    """`poolstart compare`."""
    SITE = auto()
    """The site: tables, and charts over releases."""
    CHANGE_POINTS = auto()
    """The site's overview of changes, one row a release."""
    SENSITIVITY = auto()
    """A/A runs of the instrument."""


class Workers(Enum):
    """The workers of a parent that a metric is read from."""

    LATER = auto()
    """All but the first, which also waits for the helpers that multiprocessing starts."""
    FIRST = auto()
    LAST = auto()
    """The only one that ends with a full garbage collection."""


@dataclass(frozen=True)
class Interval:
    """The time between two timestamps of a lifecycle."""

    begin: str
    end: str

    def read(self, report: Mapping[str, Any]) -> float:
        """Seconds; timestamps are in nanoseconds."""
        return float((report[self.end] - report[self.begin]) * 1e-9)


@dataclass(frozen=True)
class Reading:
    """A number in a worker's report, or in a dictionary of it."""

    name: str
    key: str = ""
    factor: float = 1
    """From the unit of the report to the metric's."""

    def read(self, report: Mapping[str, Any]) -> float:
        """The number in the metric's unit."""
        value: float = report[self.name][self.key] if self.key else report[self.name]
        return value * self.factor


@dataclass(frozen=True)
class Metric:
    """One number read from a worker's lifecycle."""

    id: str
    """In results, CSV and JSON; asv's benchmark is `track_ID`."""
    unit: str
    """Of samples and results: `seconds` or `bytes`."""
    title: str
    meaning: str
    """One sentence: from when to when, or what is read."""
    source: Interval | Reading
    group: str
    """Module and class of the benchmark."""
    tables: Collection[Table]
    """The tables that show it."""
    short_title: str = ""
    """For heads of columns, where the title is long."""
    workers: Workers = Workers.LATER
    decides: bool = False
    """Whether a cell is measured again as long as the interval of this metric is wide."""

    @property
    def benchmark(self) -> str:
        """asv's name of its results, without `further.` and the like."""
        return f"{self.group}.track_{self.id}"

    @property
    def heading(self) -> str:
        """The title with a capital."""
        return self.title[0].upper() + self.title[1:]

    @property
    def short(self) -> str:
        return self.short_title or self.title

    @property
    def column(self) -> str:
        """The head of a column: a short title and the unit that is shown."""
        return f"{self.short}, {self.display_unit}"

    @property
    def display_unit(self) -> str:
        """The unit that people are shown: ms or MiB."""
        return numbers.display_unit(self.unit)[0]

    @property
    def factor(self) -> float:
        """From the unit of samples to the one that is shown."""
        return numbers.display_unit(self.unit)[1]

    def reads(self, *, first: bool) -> bool:
        """Whether a parent's first worker, or one of its later workers, gives a value."""
        return first == (self.workers is Workers.FIRST)


ALL = frozenset(Table)

METRICS = {
    metric.id: metric
    for metric in (
        Metric("time_to_first_row", "seconds", "time to first row",
            "From Process.start() until the worker has its first row: startup and first query.",
            Interval("called", "first_row"), "startup.Startup", ALL,
            short_title="first row", decides=True),
        Metric("startup", "seconds", "startup",
            "From Process.start() to the first line of the worker function, imports included.",
            Interval("called", "started"), "startup.Startup",
            (Table.RESULTS, Table.TERMINAL, Table.COMPARISON, Table.SITE, Table.SENSITIVITY),
            decides=True),
        Metric("engine", "seconds", "engine",
            "From the first line of the worker function until its engine is usable: created or disposed.",
            Interval("started", "usable"), "query.Query", (Table.SITE,)),
        Metric("first_query", "seconds", "first query",
            "From the first line of the worker function to its first row: engine, connection and query.",
            Interval("started", "first_row"), "query.Query",
            ALL - {Table.SUMMARY, Table.SUMMARY_DATAFRAME}, decides=True),
        Metric("second_query", "seconds", "second query",
            "From the first row to the second by another checkout: NullPool connects again.",
            Interval("first_row", "second_row"), "query.Query",
            ALL - {Table.SUMMARY_DATAFRAME}, decides=True),
        Metric("first_worker", "seconds", "first worker",
            "Time to first row of a parent's first worker: multiprocessing's helpers start as well.",
            Interval("called", "first_row"), "startup.Startup",
            (Table.RESULTS, Table.SITE, Table.SENSITIVITY), workers=Workers.FIRST),
        Metric("blocked", "seconds", "parent blocked",
            "From the call of Process.start() until it returns: the parent can do nothing else.",
            Interval("called", "returned"), "startup.Startup", (Table.SITE, Table.SENSITIVITY)),
        Metric("exit", "seconds", "exit",
            "From the message that lets the worker go until its parent has reaped it.",
            Interval("released", "reaped"), "startup.Startup", (Table.SITE, Table.SENSITIVITY)),
        Metric("collect", "seconds", "full collection",
            "A full garbage collection after the second row, in a parent's last worker.",
            Reading("collect", factor=1e-9), "query.Query", (), workers=Workers.LAST),
        Metric("cpu_first_row", "seconds", "CPU time to first row",
            "CPU time that the worker has used when it has its first row; waiting is not included.",
            Reading("cpu_first_row", factor=1e-9), "cpu.Cpu", (Table.COMPARISON, Table.SITE),
            short_title="CPU, first row"),
        Metric("cpu_start", "seconds", "CPU time of Process.start()",
            "CPU time of the parent's thread in Process.start(), which a worker beside it does not lengthen.",
            Interval("cpu_called", "cpu_returned"), "cpu.Cpu", (), short_title="CPU, start()"),
        Metric("cpu_startup", "seconds", "CPU time of startup",
            "CPU time that the worker has used at the first line of its function, imports included.",
            Reading("cpu_started", factor=1e-9), "cpu.Cpu", ()),
        Metric("cpu_engine", "seconds", "CPU time of the engine",
            "CPU time from the first line of the worker function until its engine is usable.",
            Interval("cpu_started", "cpu_usable"), "cpu.Cpu", ()),
        Metric("cpu_first_query", "seconds", "CPU time of the first query",
            "CPU time from the first line of the worker function to its first row.",
            Interval("cpu_started", "cpu_first_row"), "cpu.Cpu", ()),
        Metric("cpu_second_query", "seconds", "CPU time of the second query",
            "CPU time from the first row to the second.",
            Interval("cpu_first_row", "cpu_second_row"), "cpu.Cpu", (Table.COMPARISON,),
            short_title="CPU, second query"),
        Metric("uss", "bytes", "unique memory",
            "Memory that only this worker holds after its second row: what one more worker costs.",
            Reading("memory", "uss"), "memory.Memory", ALL - {Table.SUMMARY_DATAFRAME}),
        Metric("uss_collected", "bytes", "unique memory after a collection",
            "Unique memory after a full garbage collection, which writes to all objects, shared ones too.",
            Reading("memory_collected", "uss"), "memory.Memory", ALL - {Table.SUMMARY_DATAFRAME},
            short_title="memory after GC", workers=Workers.LAST),
        Metric("pss", "bytes", "proportional memory",
            "Memory of the worker, each shared page divided by the number of processes that share it.",
            Reading("memory", "pss"), "memory.Memory", (Table.SENSITIVITY,), short_title="PSS"),
        Metric("rss", "bytes", "resident memory",
            "Resident memory, which counts shared pages in full and so misleads for forked workers.",
            Reading("memory", "rss"), "memory.Memory", (Table.RESULTS, Table.SITE, Table.SENSITIVITY),
            short_title="RSS"),
    )
}  # fmt: skip
"""By id, in the order in which tables show them."""


def get(metric: str) -> Metric:
    """The metric with this id. Raises `KeyError` for another name."""
    return METRICS[metric]


def shown_in(table: Table) -> list[Metric]:
    """The metrics of a table, in its order."""
    return [metric for metric in METRICS.values() if table in metric.tables]


@dataclass(frozen=True)
class SummaryColumn:
    """A column of the tables that summarize: README.md's, and that of `poolstart` without a command."""

    title: str
    metric: Metric
    dataframe: str

    @property
    def heading(self) -> str:
        """The beginning of a sentence about it: `First row with a DataFrame`."""
        frame = "" if self.dataframe == "none" else " with a DataFrame"
        return f"{self.metric.short[0].upper()}{self.metric.short[1:]}{frame}"


def summary_columns() -> list[SummaryColumn]:
    """The columns of the summary, in its order."""
    columns = []
    for metric in METRICS.values():
        if Table.SUMMARY in metric.tables:
            columns.append(SummaryColumn(metric.column, metric, "none"))
        if Table.SUMMARY_DATAFRAME in metric.tables:
            columns.append(SummaryColumn("with a DataFrame", metric, "large"))
    return columns


def benchmark_modules() -> tuple[str, ...]:
    """The modules of `benchmarks/` that read blocks: those of the metrics and the bare start methods."""
    names = (*(metric.benchmark for metric in METRICS.values()), CONTROL_BENCHMARK)
    return tuple(dict.fromkeys(name.partition(".")[0] for name in names))


def min_relevant_change(metric: str, value: float) -> float:
    """The smallest relative change that counts of a metric whose value, in its unit, is `value`."""
    unit = METRICS[metric].unit
    return max(MIN_RELATIVE_CHANGE[unit], MIN_ABSOLUTE_CHANGE[unit] / value)
