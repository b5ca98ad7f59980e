"""Pages of docs/ as pages of the site: their Markdown as HTML, with the site's addresses."""

import re
from collections.abc import Mapping
from html import escape
from itertools import count

from markdown_it import MarkdownIt

ADDRESSES = {
    "drivers.md": "drivers.html",
    "fleets.md": "fleets.html",
    "hazards.md": "symptoms.html",
    "poolers.md": "poolers.html",
    "programs.md": "programs.html",
    "pythons.md": "pythons.html",
    "sensitivity.md": "sensitivity.html",
    "sensitivity_loaded.md": "sensitivity_loaded.html",
    "sever.md": "sever.html",
    "strategies.md": "strategies.html",
    "claims.md": "claims.html",
    "claims.zh.md": "claims.zh.html",
}
"""The pages of docs/ that are pages of the site."""


def html(markdown: str, anchors: Mapping[str, str] | None = None) -> str:
    """The page as HTML that works with a keyboard and on a phone. `anchors` are ids by heading."""
    text: str = MarkdownIt().enable("table").render(markdown)
    text = re.sub(r'<a href="([^"]*)">(.*?)</a>', link, text)
    for heading, id in (anchors or {}).items():
        shown = MarkdownIt().renderInline(heading)
        text = text.replace(f"<h2>{shown}</h2>", f'<h2 id="{id}">{shown}</h2>')
    numbers = count(1)
    text = re.sub(
        r"<table>.*?</table>",
        lambda table: (
            f'<div class="wide" tabindex="0" role="region" aria-label="Table {next(numbers)}">'
            f"{table[0]}</div>"
        ),
        text,
        flags=re.DOTALL,
    )
    return text.replace("<pre>", '<pre tabindex="0">')


def link(match: re.Match[str]) -> str:
    """A link with the site's address; a link to a file that is not on the site becomes the file's name."""
    target, text = match[1], match[2]
    if re.match(r"https?:|#", target):
        return match[0]
    page, _, fragment = target.partition("#")
    if page == "hazards.md" and fragment:
        return f'<a href="symptoms/{fragment}.html">{text}</a>'
    if page in ADDRESSES:
        return f'<a href="{ADDRESSES[page]}{fragment and "#" + fragment}">{text}</a>'
    file = page.removeprefix("../") if page.startswith("../") else f"docs/{page}"
    return f"{text} (<code>{escape(file)}</code>)" if text != page else f"<code>{escape(file)}</code>"
