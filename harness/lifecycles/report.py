"""The report of `poolstart measure`: tables, CSV or JSON."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from statistics import median
from typing import Any

from harness import drivers, strategies
from harness.console import output, terminal
from harness.drivers import MEASURED
from harness.lifecycles import intervals, metrics
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.cell import Cell
from harness.lifecycles.metrics import Metric, Table
from harness.lifecycles.profile import Profile
from harness.processes.errors import NotApplicable, Rejected, print_reasons
from harness.system.busy import sentence


def show(
    measured: MeasuredRun, chosen: Sequence[str], settings: Sequence[str], profile: Profile, server: str
) -> None:
    """Print a table for each DataFrame setting, and below it the reasons of missing or noisy figures."""
    console = terminal.output()
    if measured.busy:
        terminal.print_text(console, sentence(measured.busy))
    terminal.print_heading(console, heading(measured, server))
    for setting in settings:
        rows = [
            [strategies.label(name) + star(name), *figures(measured, Cell(name, setting))] for name in chosen
        ]
        header = [
            "strategy",
            *(terminal.fold(metric.column) for metric in metrics.shown_in(Table.TERMINAL)),
        ]
        terminal.print_table(console, header, rows, title=f"dataframe {setting}")
    terminal.print_text(
        console,
        f"{over(len(measured.used_blocks()), metrics.shown_in(Table.TERMINAL))} "
        "First row is startup + first query. "
        f"Large is {profile.dataframe_mib} MiB. "
        "* shares a connection with the parent, see `poolstart hazards`.",
    )
    for line in remarks(measured):
        terminal.print_text(console, line)


def heading(measured: MeasuredRun, server: str) -> str:
    """What was measured: `Python 3.11.7, SQLAlchemy 2.1.9, PostgreSQL embedded-18.4-tcp-trust`.

    A driver other than the usual one is named as well.
    `server` is the server's title (`harness.postgres.server`), by default its identity.
    """
    driver = "" if measured.driver == MEASURED.name else f", {drivers.get(measured.driver).title}"
    versions = f"Python {measured.python}, SQLAlchemy {measured.release}{driver}"
    return f"{versions}, PostgreSQL {server or measured.server}"


def over(parents: int, shown: Iterable[Metric]) -> str:
    """The caption of figures of these metrics, given the number of parents."""
    if parents < intervals.MIN_SAMPLES:
        of = "one parent" if parents == 1 else f"{parents} parents"
        return f"Figures of {of}, too few for an interval."
    return f"Medians of {parents} parents. {intervals.caption(shown)}"


def star(strategy: str) -> str:
    """The mark of a strategy that shares a connection."""
    return "" if strategies.get(strategy).safe else " *"


def figures(measured: MeasuredRun, cell: Cell) -> list[str]:
    """A text per metric, see `figure`."""
    return [figure(measured, cell, metric.id) for metric in metrics.shown_in(Table.TERMINAL)]


def figure(
    measured: MeasuredRun,
    cell: Cell,
    metric: str,
    text: Callable[[Sequence[float], float], str] = intervals.median_with_interval,
) -> str:
    """The samples in ms or MiB as a text, or `n/a` or `failed` if there are none.

    `text` gets samples and factor; by default it gives their median ± half of its 99 % interval.
    """
    try:
        values = measured.samples(cell, metric)
    except NotApplicable:
        return "n/a"
    except Rejected:
        return "failed"
    return text(values, metrics.get(metric).factor) if values else ""


def remarks(measured: MeasuredRun) -> list[str]:
    """The reasons of missing and of noisy figures, and warnings, a line each."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for cell, reason in measured.not_applicable.items():
        strategy, _, dataframe = cell.rpartition(".")
        reasons.setdefault(reason, {}).setdefault(strategy, []).append(dataframe)
    return [
        *(
            f"n/a: {name} (dataframe {', '.join(settings)}): {reason}"
            for reason, cells in reasons.items()
            for name, settings in cells.items()
        ),
        *([f"noisy: {measured.noisy}"] if measured.noisy else []),
        *(f"warning: {line}" for line in measured.warnings),
        *(f"poolstart: {failure}" for failure in measured.rejected.values()),
    ]


def records(
    measured: MeasuredRun, chosen: Sequence[str], settings: Sequence[str], profile: Profile
) -> Iterator[dict[str, Any]]:
    """One row per metric and cell: statistics over `samples` parents, or why there are none."""
    for setting in settings:
        for name in chosen:
            cell = Cell(name, setting)
            for metric in metrics.shown_in(Table.TERMINAL):
                values: list[float] = []
                reason = ""
                try:
                    values = measured.samples(cell, metric.id)
                except (NotApplicable, Rejected) as error:
                    reason = str(error)
                yield {
                    "sqlalchemy": measured.release,
                    "driver": measured.driver,
                    "server": measured.server,
                    "python": measured.python,
                    "strategy": name,
                    "dataframe": setting,
                    "dataframe_mib": cell.size(profile),
                    "metric": metric.id,
                    "unit": metric.unit,
                    "median": median(values) if values else None,
                    "least": min(values, default=None),
                    "most": max(values, default=None),
                    "samples": len(values),
                    "reason": reason,
                }


def write(
    measured: MeasuredRun,
    chosen: Sequence[str],
    settings: Sequence[str],
    profile: Profile,
    form: str,
    server: str = "",
    answer: Callable[[], None] | None = None,
) -> None:
    """Print the figures as `csv` or `json`; as `table` or `markdown` what `answer` prints, or else `show`.

    `server` is the server's title.
    """
    rows = list(records(measured, chosen, settings, profile))
    content = {
        "busy": measured.busy,
        "sqlalchemy": measured.release,
        "driver": measured.driver,
        "server": measured.server,
        "python": measured.python,
        "profile": asdict(profile),
        "facts": measured.facts,
        "noisy": measured.noisy,
        "warnings": measured.warnings,
        "figures": rows,
    }
    shown = answer or partial(show, measured, chosen, settings, profile, server)
    output.write(form, rows, shown, content)
    if form == "csv":
        print_reasons(busy=measured.busy, warnings=measured.warnings)
