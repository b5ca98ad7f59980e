"""Drivers compared with the reference: interleaved pairs in one session, and counts; a row a driver."""

from dataclasses import asdict, dataclass, field, replace

from harness import drivers
from harness.comparisons.compare import ComparisonSettings, compare
from harness.comparisons.judge import ComparisonRow
from harness.comparisons.result import Side
from harness.counts.count import Counts
from harness.counts.run import count_all
from harness.drivers import MEASURED, Driver
from harness.lifecycles.plan import Report
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.records import store
from harness.records.provenance import Provenance
from harness.releases import interpreters

PATH = store.path("drivers")

COMMAND = "poolstart record drivers"

STRATEGIES = ("fork_dispose", "forkserver_preload", "spawn", "nullpool")
"""Those that are recommended, and that exist for every driver."""

METRICS = ("time_to_first_row", "second_query", "cpu_first_row", "uss")
"""Compared in pairs."""

COUNTS = (
    "modules",
    "statements_first_query",
    "round_trips_first_query",
    "round_trips_second_query",
)
"""Counted exactly."""

TOLERATE = 0.05
"""Pairs are added while an interval is wider than this: drivers differ by more."""


@dataclass(frozen=True)
class DriverRow:
    """What one driver costs, compared with the reference."""

    driver: str
    provenance: Provenance
    counts: dict[str, dict[str, int]]
    """By strategy and id (`harness.counts.registry`)."""
    rows: tuple[ComparisonRow, ...] = ()
    """Ratios to the reference; empty for the reference itself, and while no pairs are measured."""
    paired: Provenance | None = None
    """Where and when the pairs were measured; None without pairs."""
    busy: str = ""
    """Why nothing can be concluded from the times; empty if nothing shows that the machine was busy."""
    reasons: list[str] = field(default_factory=list)
    """Why a strategy has no figures."""


def load() -> dict[str, DriverRow]:
    """The rows on record by driver; empty without a record. Raises `PoolstartError` if it is damaged."""
    return store.load(dict[str, DriverRow], PATH, COMMAND) or {}


def save(row: DriverRow) -> None:
    """Put a row in the place of the driver's. Raises `PoolstartError` if it cannot be written."""
    rows = {**load(), row.driver: row}
    ordered = [driver.name for driver in drivers.DRIVERS if driver.name in rows]
    store.write(PATH, {name: asdict(rows[name]) for name in ordered})


def count(driver: Driver, server: Server, release: str, provenance: Provenance) -> DriverRow:
    """The counts of a driver, which any machine repeats, beside the pairs that are on record for it."""
    counted = count_all(
        STRATEGIES,
        server,
        release=release,
        python=interpreters.of_release(release, driver),
        driver=driver,
    )
    counts = {
        name: {id: counts.figures[id] for id in COUNTS}
        for name, counts in counted.items()
        if isinstance(counts, Counts)
    }
    reasons = [str(reason) for reason in counted.values() if not isinstance(reason, Counts)]
    known = load().get(driver.name)
    if known:
        return replace(known, counts=counts, provenance=provenance, reasons=reasons)
    return DriverRow(driver.name, provenance, counts, reasons=reasons)


def pair(
    row: DriverRow, server: Server, release: str, profile: Profile, minutes: float, report: Report
) -> DriverRow:
    """The row with a comparison in pairs with the reference driver, of so many minutes at most."""
    sides = [
        Side(driver.name, release, interpreters.of_release(release, driver), STRATEGIES, driver.name)
        for driver in (MEASURED, drivers.get(row.driver))
    ]
    settings = ComparisonSettings(
        ("none",),
        budget=60 * minutes,
        tolerate=TOLERATE,
        metrics=METRICS,
    )
    found = compare(sides[0], sides[1], server, profile, settings, report)
    return replace(
        row,
        rows=found.concluded().rows,
        paired=row.provenance,
        busy=found.busy,
        reasons=[*dict.fromkeys([*row.reasons, *found.rejected, *found.not_applicable])],
    )
