"""The page `docs/drivers.md`: what each driver costs beside the reference, from its record."""

from collections.abc import Iterator, Mapping

from harness import drivers
from harness.comparisons.drivers.record import COUNTS, METRICS, STRATEGIES, DriverRow, load
from harness.comparisons.judge import find
from harness.console import markdown
from harness.console.numbers import display_unit
from harness.counts.registry import COUNTS as TITLES
from harness.drivers import MEASURED
from harness.lifecycles import metrics
from harness.records.provenance import measured_later

INTRODUCTION = f"""\
# Drivers

What a driver other than {MEASURED.title} costs a worker. The workers of each driver are measured in turns
with those of {MEASURED.title}: the ratios hold on other machines too, the times do not. Counts repeat
exactly.

`POOLSTART_DRIVER=asyncpg uv run poolstart measure` measures one,
`poolstart compare psycopg2 asyncpg --vary driver` compares two, and `poolstart record drivers` records this
page. [hazards.md](hazards.md) shows what goes wrong with each driver. The site's chooser and
`poolstart strategies --driver asyncpg --python 3.14 --pooler transaction` show the verdicts, costs and code
on record for a driver, a Python and PgBouncer together.
"""


def render() -> str | None:
    """The page as Markdown; None without a record. Raises `PoolstartError` if the record is damaged."""
    rows = load()
    if not rows:
        return None
    parts = [INTRODUCTION, "## Names and what a fork server imports\n", names()]
    parts += [*pairs(rows), "## Counts\n", counts(rows)]
    first = next(iter(rows.values())).provenance
    others = {name: row.provenance for name, row in rows.items() if row.provenance.command != first.command}
    parts.append(f"Counted {first}{first.by}.{measured_later(others)}\n")
    return "\n".join(parts)


def names() -> str:
    """How a URL names each driver, and its preload."""
    return markdown.table(
        ["driver", f"`{drivers.DRIVER}`", "URL", "packages", "preload"],
        [
            [
                driver.title,
                f"`{driver.name}`",
                f"`{drivers.url(driver)}`",
                ", ".join(f"{name} {version}" for name, version in driver.packages),
                ", ".join(f"`{module}`" for module in driver.preload),
            ]
            for driver in drivers.DRIVERS
        ],
    )


def pairs(rows: Mapping[str, DriverRow]) -> Iterator[str]:
    """A table for each driver that was compared in pairs."""
    for name, row in rows.items():
        if not row.paired:
            continue
        yield f"## {drivers.get(name).title}, compared with {MEASURED.title}\n"
        yield markdown.table(
            ["strategy", *(metrics.get(metric).title for metric in METRICS)],
            [[strategy, *(ratio(row, metric, strategy) for metric in METRICS)] for strategy in STRATEGIES],
            figures=1,
        )
        busy = f" Nothing can be concluded from the times: {row.busy}." if row.busy else ""
        yield (
            f"{MEASURED.title}, {drivers.get(name).title}, and the ratio with its 99 % interval."
            f"{busy} Measured {row.paired}{row.paired.by}.\n"
        )


def ratio(row: DriverRow, metric: str, strategy: str) -> str:
    """`3.1 -> 4.2 ms, 1.35 (1.31-1.39)`; empty if it was not measured."""
    found = find(row.rows, metric, strategy)
    if not found:
        return ""
    unit, factor = display_unit(metrics.get(metric).unit)
    interval = f" ({found.low:.2f}-{found.high:.2f})" if found.high < 100 else ""
    return f"{found.first * factor:.3g} -> {found.second * factor:.3g} {unit}, {found.ratio:.2f}{interval}"


def counts(rows: Mapping[str, DriverRow]) -> str:
    """A row for each strategy and driver."""
    return markdown.table(
        ["strategy", "driver", *(TITLES[id].title for id in COUNTS)],
        [
            [strategy, name, *(str(row.counts.get(strategy, {}).get(id, "")) for id in COUNTS)]
            for strategy in STRATEGIES
            for name, row in rows.items()
        ],
        figures=2,
    )
