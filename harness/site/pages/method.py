"""The page of how it is measured: under which conditions, how far it can be trusted, what is not claimed."""

from typing import Any

from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.site.book import Book
from harness.site.data import Origin
from harness.site.history import History
from harness.system import conditions
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


def write(book: Book) -> None:
    origins = [described(book, origin) for origin in book.measured.origins]
    first = book.measured.origins[0] if book.measured.origins else None
    told = book.histories.get(first.key, History()) if first else History()
    book.page(
        "method.html",
        "method.html.j2",
        "Method",
        title="How it is measured",
        floors=[
            {
                "title": metric.heading,
                "low": f"{low[0] * 100:.1f} %",
                "steady": low[1],
                "high": f"{high[0] * 100:.1f} %",
                "unsteady": high[1],
            }
            for metric in metrics.shown_in(Table.SITE)
            if (floors := told.floors.get(metric.id))
            for low, high in [(min(floors), max(floors))]
        ],
        steps_said=(
            f"{len(told.changes)} real steps of {len({each.release for each in told.changes})} releases are "
            f"shown, and {told.candidates} candidates that noise or drift may explain are not."
        ),
        noise=noise_said(),
        origins=origins,
        verdicts=[f"SQLAlchemy {name}: {table.setting}" for name, table in book.verdicts.tables.items()],
        sitting=book.verdicts.by_release,
        remarks=book.remarks,
    )


def described(book: Book, origin: Origin) -> dict[str, Any]:
    dates = [release.measured for release in origin.releases.values() if release.measured]
    versions = list(origin.releases)
    days = sorted({f"{date:%Y-%m-%d}" for date in dates})
    disturbed = []
    try:
        accounts = conditions.load(book.results / origin.machine.get("machine", ""))
        ours = [each for (_, name), each in named(accounts) if name == origin.environment]
        noisy = [each for each in ours if each.get("noisy")]
        rejected = [each for each in ours if each.get("rejected")]
        if ours:
            disturbed.append(
                f"{len(noisy)} of {len(ours)} releases had a block in which the machine was busy with "
                f"something else; {len(rejected) or 'none'} had a cell rejected"
            )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, PoolstartError):
        book.remarks.append(f"the account of conditions of {origin.name} cannot be read")
    return {
        "name": origin.name,
        "hardware": origin.hardware,
        "software": origin.software,
        "count": len(versions),
        "first": versions[0],
        "last": versions[-1],
        "dates": " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "",
        "disturbed": disturbed,
    }


def named(accounts: dict[tuple[str, str], dict[str, Any]]) -> list[tuple[tuple[str, str], dict[str, Any]]]:
    """Accounts with their release and environment."""
    return [((each["release"], each["environment"]), each) for each in accounts.values()]


def noise_said() -> str:
    """Whether the instrument's own proof is on record."""
    path = ROOT / "docs" / "sensitivity.md"
    return "docs/sensitivity.md says how far the figures can be trusted." if path.exists() else ""
