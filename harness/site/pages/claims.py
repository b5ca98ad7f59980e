"""The page of claims, from the same source as `docs/claims.md`."""

import re

from markdown_it import MarkdownIt

from harness.answer import claims
from harness.site.book import Book
from harness.system.errors import PoolstartError


def write(book: Book) -> None:
    addresses = {"en": "claims.html", "zh": "claims.zh.html"}
    for language, address in addresses.items():
        text, reason = "", ""
        try:
            text = linked(claims.render(language, book.results))
        except PoolstartError as error:
            reason = f"{error}."
        except Exception as error:  # records that are damaged in any way give no page of claims
            reason = f"The records cannot be read: {error or error!r}."
        book.page(
            address,
            "claims.html.j2",
            "Claims",
            title="Claims, answered",
            text=text,
            reason=reason,
            lang=language,
            languages=[("English", "claims.html"), ("中文", "claims.zh.html")],
        )


def linked(markdown: str) -> str:
    """The page of claims as HTML, with the site's addresses."""
    text: str = MarkdownIt().render(markdown)
    text = re.sub(r'href="hazards\.md#([a-z_]+)"', r'href="symptoms/\1.html"', text)
    # The language is chosen above the text.
    return re.sub(r'<p><a href="claims(?:\.zh)?\.md">[^<]*</a></p>\n?', "", text)
