"""The measured answer as one table: read from `results/`, written to the terminal or into README.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path
from typing import Any

from asv.results import Results
from packaging.version import InvalidVersion, Version
from rich.text import Text

from harness import strategies
from harness.answer import recommendation, verdicts
from harness.console import markdown, terminal
from harness.console.numbers import spread
from harness.hazards import catalogue
from harness.hazards import expected as record
from harness.lifecycles import metrics
from harness.lifecycles.cell import DATAFRAMES
from harness.lifecycles.metrics import Metric, Table
from harness.releases import stored
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.memory import MIB

SETTINGS_APART = ("profile", "dataframe_mib", "strategies")
"""Tags of results that are not of the default series (`harness.lifecycles.profile.tags`)."""

TOLD_APART = ("postgres", "psycopg2-binary", "pandas")
"""What the environment of a result names, unless it is one that `asv run -E existing` made."""


SAFETY = ("worst outcome", "affected by hazards")
"""Columns of what is recorded of a strategy, whatever its figures are."""

CSV_COLUMNS = (
    "sqlalchemy", "server", "machine", "date", "strategy", "dataframe", "metric", "unit", "median", "q25",
    "q75",
)  # fmt: skip
"""Of `--csv`, a row a figure: the median of its samples, and the quartiles around it."""

GIB = 1024 * MIB


@dataclass(frozen=True)
class Figure:
    """A median of samples, and the quartiles around it."""

    median: float
    low: float
    high: float
    interval: tuple[float, float]
    """Of the median, at 99 %."""

    @property
    def estimate(self) -> recommendation.MedianRange:
        return recommendation.MedianRange(self.median, *self.interval)

    def shown(self, metric: Metric) -> str:
        return spread(self.low, self.median, self.high, metric.factor)


@dataclass(frozen=True)
class Report:
    """One results file of the default series: a release, measured on a machine and a server."""

    release: str
    machine: dict[str, str]
    environment: dict[str, str]
    date: datetime
    figures: dict[tuple[str, str, str], Figure]
    """By metric, strategy and DataFrame; a cell that was not measured is missing."""

    def estimate(self, strategy: str, metric: str) -> recommendation.MedianRange | None:
        """A metric without a DataFrame; None if it was not measured."""
        figure = self.figures.get((metric, strategy, "none"))
        return figure.estimate if figure else None

    @property
    def embedded(self) -> bool:
        return self.environment["postgres"].startswith("embedded")

    @property
    def conditions(self) -> str:
        """What the figures are of, in one sentence."""
        e, m = self.environment, self.machine
        # A machine that its user named without `asv machine` asking for more has no more than the name.
        hardware = (
            m.get("cpu") or m["machine"],
            f"{m['num_cpu']} cores" if "num_cpu" in m else "",
            f"{int(m['ram']) / GIB:.0f} GiB" if m.get("ram", "").isdigit() else "",
            m.get("os", ""),
        )
        return (
            f"SQLAlchemy {self.release}, psycopg2-binary {e['psycopg2-binary']}, Python {e['python']}, "
            f"PostgreSQL {e['postgres']}, pandas {e['pandas']}; {', '.join(filter(None, hardware))}; "
            f"{self.date:%Y-%m-%d}, by `asv run`"
        )


def reports(release: str | None = None, results: Path = ROOT / "results") -> list[Report]:
    """The reports of a release, by default of the newest measured one.

    The embedded server, which anybody can have, comes first, then the others; of each the latest first.
    """
    try:
        named = None if release is None else Version(release)
    except InvalidVersion:
        raise PoolstartError(
            f"{release!r} is no release", "give one of those that `poolstart releases` lists"
        ) from None
    found = []
    for path, result in stored.results(results):
        with files.reading(path, stored.REMEDY):
            if of_default_series(result):
                found.append(report_of(result, results))
    if not found:
        raise PoolstartError("there are no results yet", "measure by `asv run`")
    wanted = named or max(Version(report.release) for report in found)
    chosen = [report for report in found if Version(report.release) == wanted]
    if not chosen:
        raise PoolstartError(f"{release} has not been measured", f"measure it by `asv run {release}^!`")

    def place(report: Report) -> tuple[bool, str, float]:
        return not report.embedded, report.environment["postgres"], -report.date.timestamp()

    return sorted(chosen, key=place)


def of_default_series(result: Results) -> bool:
    return not any(name in result.env_vars for name in SETTINGS_APART) and all(
        name in {**result.params, **result.env_vars} for name in TOLD_APART
    )


def report_of(result: Results, results: Path) -> Report:
    when = stored.measured(result)
    if when is None:
        raise ValueError("nothing in it says when it was measured")
    return Report(
        release=str(Version(result.commit_hash)),
        machine=stored.hardware(result, results),
        environment={**result.params, **result.env_vars},
        date=when,
        figures=dict(figures(result)),
    )


def shown_metrics() -> list[Metric]:
    """The metrics of all tables that are read from results."""
    columns = [column.metric for column in metrics.summary_columns()]
    return list(dict.fromkeys((*metrics.shown_in(Table.RESULTS), *columns)))


def figures(result: Results) -> Iterator[tuple[tuple[str, str, str], Figure]]:
    for metric in shown_metrics():
        if metric.benchmark not in result.get_all_result_keys():
            continue
        for stored_value in stored.values(result, metric.benchmark):
            if stored_value.quartiles:
                strategy, dataframe = stored_value.parameters
                interval = stored_value.interval or (-inf, inf)
                yield (
                    (metric.id, strategy, dataframe),
                    Figure(stored_value.value, *stored_value.quartiles, interval),
                )


def rows(report: Report, dataframe: str) -> Iterator[list[str]]:
    """One row of texts a strategy: its id, what is known of its hazards, the figures."""
    recorded = verdicts.load()
    for strategy in strategies.CATALOGUE:
        measured = [
            (metric, report.figures.get((metric.id, strategy.id, dataframe)))
            for metric in metrics.shown_in(Table.RESULTS)
        ]
        if any(figure for _, figure in measured):
            worst = recorded.worst(strategy.id, report.release)
            yield [
                strategy.id,
                str(worst),
                worst.count,
                *(figure.shown(metric) if figure else "n/a" for metric, figure in measured),
            ]


def header() -> list[str]:
    return ["strategy", *SAFETY, *(metric.column for metric in metrics.shown_in(Table.RESULTS))]


def text(report: Report) -> str:
    """The report as Markdown, one table for each DataFrame setting."""
    parts = []
    for dataframe in DATAFRAMES:
        told = [[f"`{name}`", *rest] for name, *rest in rows(report, dataframe)]
        parts += [f"**{TITLES[dataframe]}**\n", markdown.table(header(), told, figures=3)]
    parts.append(f"{report.conditions}.\n")
    parts += luck(report)
    return "\n".join(parts)


def show(reports: Sequence[Report]) -> None:
    """The reports in the terminal: a table for each server and DataFrame setting."""
    console = terminal.output()
    for report in reports:
        titles = [terminal.folded(title) for title in header() if title not in SAFETY]
        told = {
            dataframe: [dict(zip(header(), row, strict=True)) for row in rows(report, dataframe)]
            for dataframe in DATAFRAMES
        }
        for dataframe, found in told.items():
            cells = [[text for title, text in row.items() if title not in SAFETY] for row in found]
            terminal.show(console, titles, cells, title=TITLES[dataframe])
        console.print(Text("The worst that was provoked", style="bold"))
        recorded = verdicts.load()
        names = dict.fromkeys(row["strategy"] for found in told.values() for row in found)
        terminal.listed(console, [(name, recorded.worst(name, report.release).sentence) for name in names])
        console.print()
        terminal.say(console, f"Medians ± half the interquartile range. {report.conditions}.")


def records(reports: Sequence[Report]) -> Iterator[dict[str, Any]]:
    """A row a figure, in `CSV_COLUMNS`."""
    for report in reports:
        for dataframe in DATAFRAMES:
            for strategy in strategies.CATALOGUE:
                for metric in metrics.shown_in(Table.RESULTS):
                    if figure := report.figures.get((metric.id, strategy.id, dataframe)):
                        yield {
                            "sqlalchemy": report.release,
                            "server": report.environment["postgres"],
                            "machine": report.machine["machine"],
                            "date": f"{report.date:%Y-%m-%d}",
                            "strategy": strategy.id,
                            "dataframe": dataframe,
                            "metric": metric.id,
                            "unit": metric.unit,
                            "median": figure.median,
                            "q25": figure.low,
                            "q75": figure.high,
                        }


def tell(reports: Sequence[Report], form: str) -> None:
    """As tables, or for programs."""
    if form == "csv":
        terminal.print_csv(CSV_COLUMNS, records(reports))
    elif form == "json":
        terminal.print_json(
            {
                "reports": [
                    {
                        "sqlalchemy": report.release,
                        "date": report.date.isoformat(),
                        "machine": report.machine,
                        "environment": report.environment,
                    }
                    for report in reports
                ],
                "figures": list(records(reports)),
            }
        )
    else:
        show(reports)


def luck(report: Report) -> list[str]:
    """How often it goes wrong where nothing forces it to, when that was last recorded."""
    table = record.load().get(record.series(report.release))
    if not table or not table.repeated:
        return []
    repeated = table.repeated
    rows = [
        [figure.title, *(figure.format(rates.get(name)) for name in strategies.IDS)]
        for hazard in catalogue.load_all()
        for figure in hazard.figures
        if (rates := repeated.rates.get(figure.id))
    ]
    return [
        "**Left to luck: how often it went wrong**\n",
        markdown.table(["what happened", *(f"`{name}`" for name in strategies.IDS)], rows),
        f"SQLAlchemy {repeated.provenance.release}, {repeated.provenance.date}{repeated.provenance.by}.\n",
    ]


def answer(results: Path) -> Report:
    """What README.md shows: the newest release, against the embedded server that anybody can have."""
    newest = reports(results=results)
    for measured in newest:
        if measured.embedded:
            return measured
    raise PoolstartError(
        f"SQLAlchemy {newest[0].release} has not been measured with an embedded server",
        "measure it by `POOLSTART_SERVER=embedded asv run`",
    )


def brief(report: Report) -> str:
    """The answer in a table that fits a screen, and what follows from it, in sentences."""
    recorded = verdicts.load()
    columns = metrics.summary_columns()

    def cells(name: str) -> Iterator[str]:
        for column in columns:
            found = report.figures.get((column.metric.id, name, column.dataframe))
            yield found.shown(column.metric) if found else "n/a"

    told = [[f"`{name}`", str(recorded.worst(name, report.release)), *cells(name)] for name in strategies.IDS]
    titles = ["strategy", "worst that was provoked", *(column.title for column in columns)]
    return "\n".join(
        [
            markdown.table(titles, told, figures=2),
            *(f"- {sentence}" for sentence in recommendation.sentences(report.estimate)),
            "",
            f"Medians ± half the interquartile range. {report.conditions}.",
            "All figures: [docs/results.md](docs/results.md).",
        ]
    )


def definitions() -> str:
    """A line for each metric of `poolstart measure`: its title, and from when to when it is measured."""
    return "".join(f"- *{metric.heading}*: {metric.meaning}\n" for metric in metrics.shown_in(Table.TERMINAL))


def whole(report: Report) -> str:
    """The page of all that README.md has the beginning of."""
    return f"# Results\n\nWritten by `poolstart pages`.\n\n{text(report)}"


TITLES = {
    "none": "Nothing large in the parent",
    "large": "A DataFrame of 512 MiB resident in the parent",
}
