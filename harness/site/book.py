"""What every page of the site has in common: the records it is made of, its frame, and where it goes."""

import csv
import io
import json
import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.site import decide, history
from harness.site.data import Measured, load
from harness.site.outcomes import Outcomes

NAVIGATION = (
    ("Answer", "index.html"),
    ("Choose", "choose.html"),
    ("Symptoms", "symptoms.html"),
    ("Releases", "releases.html"),
    ("Method", "method.html"),
    ("Claims", "claims.html"),
)


def environment() -> Environment:
    """Of the templates."""
    made = Environment(
        loader=PackageLoader("harness.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["cards"] = decide.CARDS
    return made


class Book:
    """Everything that the pages are made of, and where they go."""

    def __init__(self, results: Path, target: Path, asv: bool) -> None:
        self.target = target
        self.measured: Measured = load(results)
        self.remarks = list(self.measured.remarks)
        self.outcomes = Outcomes()
        self.remarks += self.outcomes.remarks
        self.histories = history.detect(results, self.measured.origins, self.remarks)
        self.results = results
        self.asv = asv
        self.environment = environment()

    def write(self, address: str, text: str) -> None:
        path = self.target / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def page(
        self, address: str, template: str, section: str, title: str = "", prefix: str = "", **values: Any
    ) -> None:
        directory = posixpath.dirname(address)

        def to(other: str) -> str:
            path, _, fragment = other.partition("#")
            relative = posixpath.relpath(path, directory or ".")
            return f"{relative}#{fragment}" if fragment else relative

        moved = ("index.html", "releases.html")
        navigation = [(name, prefix + to_ if to_ in moved else to_) for name, to_ in NAVIGATION]
        text = self.environment.get_template(template).render(
            to=to,
            section=section,
            title=title or section,
            prefix=prefix,
            home=f"{prefix}index.html",
            navigation=navigation,
            asv=self.asv,
            here=address,
            description="What each way of starting workers costs a Python program with a SQLAlchemy pool.",
            **{"origin": None, **values},
        )
        self.write(address, compact(text))

    def table(self, address: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """The same table twice: as CSV, and as JSON of its columns' names and its rows."""
        rows = list(rows)
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        self.write(f"{address}.csv", written.getvalue())
        self.write(f"{address}.json", json.dumps({"columns": header, "rows": rows}, separators=(",", ":")))


def compact(text: str) -> str:
    """Without empty lines and margins, except in what is preformatted."""
    pieces = re.split(r"(<pre.*?</pre>)", text, flags=re.DOTALL)
    return "".join(
        piece
        if number % 2
        else re.sub(r"\n\s*\n+", "\n", re.sub(r"^[ \t]+|[ \t]+$", "", piece, flags=re.MULTILINE))
        for number, piece in enumerate(pieces)
    )
