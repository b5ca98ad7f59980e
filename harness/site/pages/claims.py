"""Common claims about forking and connection pools, answered: from the same source as `docs/claims.md`."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt

from harness.answer import claims
from harness.site.context import File, SiteContext
from harness.system.errors import PoolstartError

SECTION, ADDRESS, PER_TEST_BED = "Claims", "claims.html", False

ADDRESSES = {"en": ADDRESS, "zh": "claims.zh.html"}


def pages(site: SiteContext) -> Iterator[File]:
    for language, address in ADDRESSES.items():
        text, reason = "", ""
        try:
            text = html(claims.render(language, site.results))
        except PoolstartError as error:
            reason = f"{error}."
        yield site.page(
            address,
            "claims.html.j2",
            SECTION,
            title="Claims, answered",
            text=text,
            reason=reason,
            lang=language,
            languages=[("English", ADDRESSES["en"]), ("中文", ADDRESSES["zh"])],
        )


def html(markdown: str) -> str:
    """The page of claims as HTML, with the site's addresses."""
    text: str = MarkdownIt().render(markdown)
    text = re.sub(r'href="hazards\.md#([a-z_]+)"', r'href="symptoms/\1.html"', text)
    # The site has its own links to the other language, above the text.
    return re.sub(r'<p><a href="claims(?:\.zh)?\.md">[^<]*</a></p>\n?', "", text)
