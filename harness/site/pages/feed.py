"""The feed of changes: an entry for each metric and release with a step."""

from collections.abc import Iterator
from datetime import UTC, datetime

from harness.lifecycles import metrics
from harness.lifecycles.metrics import Table
from harness.site.context import File, TestBedContext
from harness.site.history import step_groups

SECTION, ADDRESS, PER_TEST_BED = "Releases", "feed.xml", True

UNKNOWN = datetime(2000, 1, 1, tzinfo=UTC)
"""The date of results without one."""


def pages(context: TestBedContext) -> Iterator[File]:
    entries = [
        {"release": release.release, "measured": moment(release.date), "group": group}
        for release in context.releases[::-1]
        for group in step_groups(context.history, release.release, metrics.shown_in(Table.SITE))
    ]
    yield context.page(
        ADDRESS,
        "feed.xml.j2",
        SECTION,
        entries=entries,
        updated=moment(max(release.date or UNKNOWN for release in context.releases)),
    )


def moment(date: datetime | None) -> str:
    """A date in the form of Atom."""
    return (date or UNKNOWN).isoformat(timespec="seconds")
