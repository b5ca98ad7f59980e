"""What every page of the site has in common: the records it is made of, its frame, and where it goes."""

import csv
import io
import json
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.answer.verdicts import VerdictsOnRecord
from harness.comparisons import servers
from harness.hazards import bisect, expected
from harness.hazards.table import VerdictTable
from harness.history import causes, retest
from harness.site import decide, history
from harness.site.data import Measured, load
from harness.system import files
from harness.system.errors import PoolstartError

Record = TypeVar("Record")

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
        self.verdicts = VerdictsOnRecord(
            self.record(expected.PATH, expected.load, dict[str, VerdictTable]()),
            self.record(bisect.RECORD, lambda: bisect.load(bisect.RECORD), None),
        )
        self.causes: list[causes.Explanation] = self.record(causes.PATH, causes.load, [])
        self.servers = self.record(servers.PATH, lambda: servers.load(servers.PATH), None)
        retests: list[retest.Retest] = self.record(retest.RECORD, lambda: retest.load(retest.RECORD), [])
        self.histories = history.detect(results, self.measured.origins, retests, self.remarks)
        self.results = results
        self.asv = asv
        self.environment = environment()

    def record(self, path: Path, load: Callable[[], Record], default: Record) -> Record:
        """A record, or `default` and a remark if it is damaged: one record never costs the other pages."""
        try:
            with files.understood(path, "restore it with git"):
                return load()
        except PoolstartError as error:
            self.remarks.append(str(error))
            return default

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
