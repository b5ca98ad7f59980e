"""The method: what counts, the smallest change that can be detected, conditions, limits."""

import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from harness.answer.figures.on_record import TestBed
from harness.history.reference import REFERENCE
from harness.history.sensitivity import record as sensitivity
from harness.history.sensitivity import report
from harness.lifecycles import checks, intervals, metrics
from harness.lifecycles.metrics import Table
from harness.site import document
from harness.site.context import File, SiteContext
from harness.site.history import BedHistory

SECTION, ADDRESS, PER_TEST_BED = "Method", "method.html", False


def pages(site: SiteContext) -> Iterator[File]:
    beds = [described(bed) for bed in site.test_beds]
    history = site.histories[site.test_beds[0].key] if site.test_beds else BedHistory()
    trust = sensitivity_pages(site)
    for address, title, text in trust:
        if text:
            contents = [("Method", ADDRESS)]
            yield site.page(address, "document.html.j2", SECTION, title=title, text=text, contents=contents)
    yield site.page(
        ADDRESS,
        "method.html.j2",
        SECTION,
        title="How it is measured",
        detectable=detectable(history),
        reference=REFERENCE,
        changed=len({step.release for step in history.steps}),
        sensitivity=[address for address, _, text in trust if text],
        beds=beds,
        verdicts=[f"SQLAlchemy {name}: {table.provenance}" for name, table in site.verdicts.tables.items()],
        by_release=site.verdicts.by_release,
        spreads=intervals.caption(metrics.shown_in(Table.SITE)),
        checks=[inspect.getdoc(check) for check in checks.CHECKS],
        remarks=site.remarks,
    )


def sensitivity_pages(site: SiteContext) -> list[tuple[str, str, str]]:
    """Address, title and text of the pages on how far the figures can be trusted; the text may be empty."""
    return [
        (address, title, site.record(path, partial(trust_page, path), ""))
        for path, address, title in (
            (sensitivity.RECORD, "sensitivity.html", "How far the figures can be trusted"),
            (
                sensitivity.LOADED,
                "sensitivity_loaded.html",
                "How far figures can be trusted on a busy machine",
            ),
        )
    ]


def trust_page(path: Path) -> str:
    """The page of one record as HTML; empty without a record."""
    return document.html(report.load(path)) if path.exists() else ""


def detectable(history: BedHistory) -> list[tuple[str, str, str]]:
    """Each metric with the smallest change that pairs find, for the steadiest and the noisiest strategy."""
    return [
        (metric.heading, f"{low * 100:.1f} %", f"{high * 100:.1f} %")
        for metric in metrics.shown_in(Table.SITE)
        if metric.id in history.detectable
        for low, high in [history.detectable[metric.id]]
    ]


def described(bed: TestBed) -> dict[str, Any]:
    """A test bed's machine, software, releases and days of measurement."""
    days = sorted({f"{release.date:%Y-%m-%d}" for release in bed.releases.values() if release.date})
    versions = list(bed.releases)
    return {
        "name": bed.name,
        "hardware": bed.newest.hardware,
        "software": bed.software,
        "count": len(versions),
        "first": versions[0],
        "last": versions[-1],
        "dates": " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "",
    }
