"""Every strategy with its code, and the pages docs/sever.md and docs/poolers.md."""

from collections.abc import Iterator

from harness import strategies
from harness.answer import strategies_page
from harness.hazards import expected
from harness.poolers import figures as poolers
from harness.poolers import report as poolers_report
from harness.site import document
from harness.site.context import File, SiteContext
from harness.system.environment import ROOT

SECTION, ADDRESS, PER_TEST_BED = "Strategies", "strategies.html", False


def pages(site: SiteContext) -> Iterator[File]:
    measured = next(iter(site.answers), None)
    yield site.page(
        ADDRESS,
        "document.html.j2",
        SECTION,
        title="Strategies: start methods and what to do about the pool, with code",
        text=document.html(
            site.record(expected.PATH, lambda: strategies_page.render(measured), "# Strategies\n")
        ),
        contents=[(each.id, f"{ADDRESS}#{each.id}") for each in (*strategies.CATALOGUE, *strategies.FURTHER)]
        if site.verdicts.newest
        else [],
    )
    yield site.page(
        "sever.html",
        "document.html.j2",
        SECTION,
        title="A fork that leaves the parent's connections alone",
        text=document.html((ROOT / "docs" / "sever.md").read_text(encoding="utf-8")),
        contents=[],
    )
    recorded = site.record(poolers.PATH, poolers.load, None)
    if recorded:
        yield site.page(
            "poolers.html",
            "document.html.j2",
            SECTION,
            title="PgBouncer with SQLAlchemy: what breaks in transaction mode, what fixes it, what it costs",
            text=document.html(poolers_report.render(recorded)),
            contents=[("Strategies", ADDRESS)],
        )
