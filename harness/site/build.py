"""All pages, built into a directory from what is recorded."""

from importlib import resources
from pathlib import Path

from harness.site.book import NAVIGATION, Book
from harness.site.data import slug
from harness.site.pages import choose, claims, method, symptoms
from harness.site.pages.test_bed import Chapter


def build(results: Path, target: Path, asv: bool = False) -> None:
    """All pages of `results` into `target`; what else is there stays.

    `asv` says whether asv's own pages are beside them.
    """
    book = Book(results, target, asv)
    for name in ("site.css", "site.js"):
        source = resources.files("harness.site") / "static" / name
        book.write(name, source.read_text(encoding="utf-8"))
    if not book.measured.origins:
        for name, address in (NAVIGATION[0], NAVIGATION[3]):
            book.page(address, "empty.html.j2", name, heading=name, remarks=book.remarks)
    for number, origin in enumerate(book.measured.origins):
        Chapter(book, origin, "" if number == 0 else f"{slug(origin.key)}/").write()
    choose.write(book)
    symptoms.write(book)
    method.write(book)
    claims.write(book)
