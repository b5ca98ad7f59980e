"""The figures of one release: as measured, in one results file of asv, or as levels, in the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite

from harness import drivers
from harness.answer.figures import ranking
from harness.answer.figures.ranking import MedianRange
from harness.console.numbers import digits, display_unit, plus_minus, two_digits
from harness.history.level import Level, ParentFigures
from harness.history.sensitivity.elsewhere import Differences
from harness.lifecycles.cell import DATAFRAMES
from harness.lifecycles.metrics import Metric
from harness.system import busy, pythons
from harness.system.memory import MIB

DATAFRAME_TITLES = {
    "none": "Nothing large in the parent",
    "large": "A DataFrame of 512 MiB resident in the parent",
}
"""Titles of the DataFrame settings."""

GIB = 1024 * MIB


def uv_run(driver: str, python: str) -> str:
    """How a command begins with a driver and a Python: `POOLSTART_DRIVER=asyncpg uv run --python 3.14`."""
    variable = "" if driver == drivers.MEASURED.name else f"{drivers.DRIVER}={driver} "
    option = "" if python in ("", pythons.REFERENCE) else f" --python {python}"
    return f"{variable}uv run{option}"


NO_PARENTS = ParentFigures((), 0)


@dataclass(frozen=True)
class Figure(MedianRange):
    """A median in seconds or bytes, with its 99 % interval: infinite where asv stored none."""

    quartiles: tuple[float, float] | None = None
    """Of the samples; None where asv stored none."""
    parents: ParentFigures = NO_PARENTS

    def text(self) -> str:
        """`7.4`, in the unit that is shown."""
        return digits(self.median * display_unit(self.unit)[1])

    def plus_minus(self) -> str:
        """`±0.95`, in the unit that is shown; empty without an interval."""
        return plus_minus(self.low, self.high, display_unit(self.unit)[1])

    @property
    def span(self) -> tuple[float, float]:
        """The interval to draw: of no width where there is none."""
        return (self.low, self.high) if isfinite(self.high - self.low) else (self.median, self.median)


@dataclass(frozen=True)
class MeanFigure(Figure):
    """A figure of the answer: `median` is the mean over several releases."""

    def text(self) -> str:
        return two_digits(self.median * display_unit(self.unit)[1])


@dataclass(frozen=True)
class ReleaseResults:
    """One results file: a release, measured on one machine with one environment and server."""

    release: str
    figures: Mapping[tuple[str, str, str], Figure] = field(default_factory=dict)
    """By metric, strategy and DataFrame setting; a cell that was not measured is missing."""
    counts: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """Figures that repeat exactly, by name and strategy."""
    date: datetime | None = None
    machine: Mapping[str, str] = field(default_factory=dict)
    """By asv's names."""
    own: bool = False
    """Whether it was measured on this machine, according to asv's name for it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The versions of everything else that affects the figures."""
    environment_name: str = ""
    """asv's name of the environment."""
    rejected: Mapping[str, str] = field(default_factory=dict)
    """The reasons why cells have no figures, by id."""
    busy: str = ""
    """Why the machine was busy, so that nothing can be concluded from the figures; empty if it was not."""
    levels: Mapping[tuple[str, str, str], Level] = field(default_factory=dict)
    """The figures of the answer, by the same keys: over all releases since the last change."""
    differences: Differences = field(default_factory=Differences)
    """How far the figures of this series differed on other days and machines."""
    failed: str = ""
    """Sentences on later runs that failed; empty if none did."""

    def of(self, metric: str, strategy: str, dataframe: str = "none") -> Figure | None:
        """A figure of the answer, with the range of many releases, or an interval as wide as one run's.

        Without levels it is the measured figure. None if it was not measured.
        """
        key = metric, strategy, dataframe
        figure, found = self.figures.get(key), self.levels.get(key)
        if figure is None or found is None:
            return figure
        if len(medians := found.medians.values()) >= ranking.MIN_PAIRS:
            low, high = min(medians), max(medians)
        else:
            scale = found.mean / figure.median if figure.median else 1.0
            low, high = figure.low * scale, figure.high * scale
        return MeanFigure(found.mean, low, high, figure.unit, found.medians)

    def estimate(self, strategy: str, metric: str, dataframe: str = "none") -> Figure | None:
        """The same for conclusions: also None if the machine was busy."""
        return None if self.busy else self.of(metric, strategy, dataframe)

    def answer(self, strategy: str, metric: Metric, dataframe: str = "none") -> str:
        """`7.4`: a figure in its display unit; `failed` or `n/a` if there is none."""
        figure = self.of(metric.id, strategy, dataframe)
        return figure.text() if figure else self.missing(strategy, dataframe)

    def missing(self, strategy: str, dataframe: str) -> str:
        """Why a cell has no figure, in a word."""
        return "failed" if f"{strategy}.{dataframe}" in self.rejected else "n/a"

    @property
    def warning(self) -> str:
        """A sentence to put before the figures if the machine was busy; otherwise empty."""
        return busy.sentence(self.busy)

    @property
    def strategies(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(strategy for _, strategy, _ in self.figures))

    @property
    def dataframes(self) -> list[str]:
        """The DataFrame settings that were measured, in the suite's order."""
        measured = dict.fromkeys(dataframe for _, _, dataframe in self.figures)
        return sorted(measured, key=lambda name: (*DATAFRAMES, name).index(name))

    @property
    def name(self) -> str:
        """The name of the series, with the date: `SQLAlchemy 2.1.9 on MACHINE, SERVER, Python 3.11, DATE`."""
        e = self.environment
        return (
            f"SQLAlchemy {self.release} on {self.machine['machine']}, {e['postgres']}, Python {e['python']}, "
            f"{self.date:%Y-%m-%d}"
        )

    @property
    def driver(self) -> str:
        """Name and version of the driver, for people."""
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
            f"PostgreSQL {e['postgres']}, pandas {e['pandas']}; {self.hardware}; "
            f"{self.date:%Y-%m-%d}, by `{self.command}`"
        )

    @property
    def command(self) -> str:
        """What measures the series; of the reference as README.md says it, in short."""
        command = f"{uv_run(*self.combination)} asv run"
        return "asv run" if command == "uv run asv run" else command

    @property
    def hardware(self) -> str:
        """The machine in words; only its name if the user has given nothing else."""
        ram = self.machine.get("ram", "")
        parts = (
            self.machine.get("cpu") or self.machine.get("machine", ""),
            f"{self.machine['num_cpu']} cores" if self.machine.get("num_cpu") else "",
            f"{int(ram) / GIB:.0f} GiB" if ram.isdigit() else "",
            self.machine.get("os", ""),
        )
        return ", ".join(filter(None, parts))
