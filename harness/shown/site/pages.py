"""All pages, built into a directory from what is recorded."""

from importlib import resources
from pathlib import Path

from harness.shown.site import claimed, method, programs, symptoms
from harness.shown.site.book import NAVIGATION, Book
from harness.shown.site.chapter import Chapter
from harness.shown.site.figures import slug


def build(results: Path, target: Path, asv: bool = False) -> None:
    """All pages of `results` into `target`; what else is there stays.

    `asv` says whether asv's own pages are beside them.
    """
    book = Book(results, target, asv)
    for name in ("site.css", "site.js"):
        source = resources.files("harness.shown.site") / "static" / name
        book.write(name, source.read_text(encoding="utf-8"))
    if not book.measured.origins:
        for name, address in (NAVIGATION[0], NAVIGATION[3]):
            book.page(address, "empty.html.j2", name, heading=name, remarks=book.remarks)
    for number, origin in enumerate(book.measured.origins):
        Chapter(book, origin, "" if number == 0 else f"{slug(origin.key)}/").write()
    programs.write(book)
    symptoms.write(book)
    method.write(book)
    claimed.write(book)
