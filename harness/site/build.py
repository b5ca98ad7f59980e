"""The site: all pages, written into a directory."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from harness.site.context import File, SiteContext, bed_contexts
from harness.site.pages import PAGES, navigation

STATIC = ("site.css", "site.js", "search.js", "compare.js", "bill.js", "choose.js")


def build(results: Path, target: Path, asv: bool = False) -> list[str]:
    """Write the pages of `results` into `target`; other files there stay.

    `asv` says whether asv's own pages are beside them. Returns sentences on what is not shown, and why.
    """
    site = SiteContext(results, navigation(), asv=asv)
    for address, text in files(site):
        path = target / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return site.remarks


def files(site: SiteContext) -> Iterator[File]:
    """Every file of the site."""
    for name in STATIC:
        yield name, (resources.files("harness.site") / "static" / name).read_text(encoding="utf-8")
    if not site.test_beds:
        yield from without_results(site)
    for module in PAGES:
        if module.PER_TEST_BED:
            for context in bed_contexts(site):
                yield from module.pages(context)
        else:
            yield from module.pages(site)


def without_results(site: SiteContext) -> Iterator[File]:
    """Placeholders for the pages that need results."""
    for entry in site.navigation:
        if entry.per_test_bed:
            yield site.page(
                entry.address, "empty.html.j2", entry.section, heading=entry.section, remarks=site.remarks
            )
