"""Every strategy with its code; pages of docs/ on fork_sever, Pythons, drivers and poolers."""

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

PAGES = {
    "sever": "A fork that leaves the parent's connections alone",
    "pythons": "What Python 3.14 changes for programs that start workers with SQLAlchemy",
    "drivers": "psycopg2, psycopg 3 and asyncpg with SQLAlchemy: what each costs a worker process",
}
"""Pages of docs/ that are shown as they are, with their titles."""


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
    for name, title in PAGES.items():
        yield site.page(
            f"{name}.html",
            "document.html.j2",
            SECTION,
            title=title,
            text=document.html((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")),
            contents=[("Strategies", ADDRESS)],
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
