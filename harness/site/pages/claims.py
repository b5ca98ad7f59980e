"""Common claims about forking and connection pools, answered: from the same source as `docs/claims.md`."""

from collections.abc import Iterator
from html import escape

from harness.answer import claims
from harness.site import document
from harness.site.context import File, SiteContext
from harness.system.errors import PoolstartError

SECTION, ADDRESS, PER_TEST_BED = "Claims", "claims.html", False

TITLE = "Claims, answered"


def pages(site: SiteContext) -> Iterator[File]:
    for language, address in (("en", ADDRESS), ("zh", "claims.zh.html")):
        try:
            if not site.answers:
                raise PoolstartError("there are no results yet")
            text = document.html(claims.render(language, site.answers[0]))
        except PoolstartError as error:
            text = f"<h1>{TITLE}</h1><p>{escape(str(error))}.</p>"
        yield site.page(
            address, "document.html.j2", SECTION, title=TITLE, text=text, contents=[], lang=language
        )
