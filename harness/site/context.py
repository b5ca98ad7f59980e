"""The material of the pages: results and records, the templates, and the frame around every page."""

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness import strategies
from harness.answer import recommendation
from harness.answer.combinations import records
from harness.answer.combinations.combination import REFERENCE, Combination
from harness.answer.combinations.records import CombinationRecords
from harness.answer.figures import answers, on_record
from harness.answer.figures.on_record import TestBed
from harness.answer.figures.results import ReleaseResults
from harness.answer.verdicts import VerdictsOnRecord, shares_connection
from harness.console import markdown, numbers
from harness.curves import curve
from harness.curves.sections import work
from harness.hazards import expected
from harness.hazards.bisection import release_verdicts
from harness.hazards.table import VerdictTable
from harness.history import causes, causes_record, paired, reference
from harness.instructions import table as instructions
from harness.lifecycles import metrics
from harness.lifecycles.metrics import Metric, Table
from harness.poolers import figures as poolers
from harness.site import history
from harness.system import files
from harness.system.errors import PoolstartError

Record = TypeVar("Record")

File = tuple[str, str]
"""A file of the site: its address, relative to the site's root, and its text."""


@dataclass(frozen=True)
class NavigationEntry:
    """A link at the top of every page."""

    section: str
    address: str
    per_test_bed: bool
    """Whether each test bed has a page of its own."""


def environment() -> Environment:
    """The templates' environment."""
    templates = Environment(
        loader=PackageLoader("harness.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    templates.globals["cards"] = recommendation.RECOMMENDED
    templates.globals["interval"] = numbers.INTERVAL
    templates.filters["code"] = lambda text: Markup(markdown.html(text))
    return templates


class SiteContext:
    """The results and records that the pages show."""

    def __init__(
        self, results: Path, navigation: Sequence[NavigationEntry] = (), *, asv: bool = False
    ) -> None:
        """`asv` says whether asv's own pages are beside ours."""
        self.navigation = navigation
        self.asv = asv
        self.measured = on_record.load(results)
        self.remarks = list(self.measured.remarks)
        """Sentences on what is not shown, and why."""
        self.verdicts = VerdictsOnRecord(
            self.record(expected.PATH, expected.load, dict[str, VerdictTable]()),
            self.record(
                release_verdicts.RECORD, lambda: release_verdicts.load(release_verdicts.RECORD), None
            ),
        )
        self.causes: list[causes.Explanation] = self.record(causes_record.PATH, causes_record.load, [])
        self.curves = self.record(curve.PATH, curve.load, dict[str, curve.CurveRecord]())
        self.break_even = self.record(curve.PATH, lambda: work.break_even(self.curves), "")
        """The number of queries above which a pool pays off, as the end of a sentence."""
        self.instructions = self.record(instructions.PATH, instructions.load, None)
        neighbours: list[paired.PairedChange] = self.record(
            paired.NEIGHBOURS, lambda: paired.load(paired.NEIGHBOURS), []
        )
        ratios: list[reference.RatioRow] = self.record(
            reference.RECORD, lambda: reference.load(reference.RECORD), []
        )
        self.histories = history.detect(results, self.measured.test_beds, neighbours, ratios, self.remarks)
        self.answers = self.answers_on_record()
        """The answer of each series, as README.md shows one."""
        self.combinations = CombinationRecords(
            {**self.record(expected.PATH, records.other_verdicts, {}), REFERENCE.record: self.verdicts},
            [*self.answers, *answers.of_other_drivers(self.measured)],
            self.record(poolers.PATH, poolers.load, None),
        )
        """The records for other drivers and Pythons, and behind a pooler."""
        self.templates = environment()

    def verdicts_with(self, wanted: Combination) -> VerdictsOnRecord:
        """The verdicts on record for a combination; empty without any."""
        return self.combinations.verdicts.get(wanted.record) or VerdictsOnRecord()

    def answers_on_record(self) -> list[ReleaseResults]:
        """The answer of each test bed; if a record is damaged, none, and a remark."""
        try:
            return answers.answers(self.measured)
        except PoolstartError as error:
            self.remarks.append(f"figures are those of single runs: {error}")
            return []

    def answer(self, bed: TestBed) -> ReleaseResults:
        """The newest release of a test bed: with the levels of the answer, or else as it was measured."""
        newest = bed.newest
        place = newest.machine, newest.environment_name, newest.release
        known = (
            each for each in self.answers if (each.machine, each.environment_name, each.release) == place
        )
        return next(known, newest)

    @property
    def test_beds(self) -> tuple[TestBed, ...]:
        """The test beds in the order of `TestBed.preference`, so README.md's comes first."""
        return self.measured.test_beds

    def record(self, path: Path, load: Callable[[], Record], default: Record) -> Record:
        """A record; if it is damaged, `default` and a remark, so that the other pages are still written."""
        try:
            with files.reading(path, "restore it with git"):
                return load()
        except PoolstartError as error:
            self.remarks.append(str(error))
            return default

    def page(
        self, address: str, template: str, section: str, title: str = "", prefix: str = "", **values: Any
    ) -> File:
        """A page. `prefix` is the folder of its test bed; `values` are for the template."""
        directory = posixpath.dirname(address)

        def to(other: str) -> str:
            path, _, fragment = other.partition("#")
            relative = posixpath.relpath(path, directory or ".")
            return f"{relative}#{fragment}" if fragment else relative

        text = self.templates.get_template(template).render(
            to=to,
            section=section,
            title=title or section,
            prefix=prefix,
            home=f"{prefix}index.html",
            navigation=[
                (entry.section, prefix + entry.address if entry.per_test_bed else entry.address)
                for entry in self.navigation
            ],
            asv=self.asv,
            description="What each way of starting workers costs a Python program with a SQLAlchemy pool.",
            **{"bed": None, **values},
        )
        return address, compact(text)


@dataclass(frozen=True)
class TestBedContext:
    """The results of one test bed, for all of its pages."""

    site: SiteContext
    bed: TestBed
    prefix: str
    """The folder of its pages: empty for the first test bed, which has the site's root."""

    @property
    def history(self) -> history.BedHistory:
        return self.site.histories[self.bed.key]

    @property
    def verdicts(self) -> VerdictsOnRecord:
        """The verdicts of its Python; if no hazard was tried under that, the reference's, as `tried` says."""
        own = self.site.verdicts_with(Combination(python=self.bed.python))
        return own if own.newest else self.site.verdicts

    @property
    def tried(self) -> str:
        """A sentence that says that its verdicts are those of another Python; empty if they are its own."""
        if self.bed.is_reference or self.site.verdicts_with(Combination(python=self.bed.python)).newest:
            return ""
        return (
            f"No hazard was tried under Python {self.bed.python}: worst outcomes are those of Python"
            f" {REFERENCE.python}."
        )

    @property
    def releases(self) -> list[ReleaseResults]:
        """The results of all releases, in version order."""
        return list(self.bed.releases.values())

    @property
    def versions(self) -> list[str]:
        return list(self.bed.releases)

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that any release has."""
        measured = {metric for release in self.releases for metric, _, _ in release.figures}
        return [metric for metric in metrics.shown_in(Table.SITE) if metric.id in measured]

    @property
    def strategies(self) -> list[str]:
        """The measured strategies, in the catalogue's order; those that share a connection last."""
        measured = {name for release in self.releases for name in release.strategies}
        known = sorted((name for name in strategies.IDS if name in measured), key=shares_connection)
        return [*known, *sorted(measured - set(strategies.IDS))]

    def page(self, address: str, template: str, section: str, **values: Any) -> File:
        """A page of this test bed, with links to the same test bed's pages and to the other test beds."""
        beds = [
            (context.bed.name, f"{context.prefix}index.html", context.bed is self.bed)
            for context in bed_contexts(self.site)
        ]
        return self.site.page(
            self.prefix + address,
            template,
            section,
            prefix=self.prefix,
            bed=self.bed,
            beds=beds,
            versions=self.versions[::-1],
            **values,
        )


def bed_contexts(site: SiteContext) -> Iterator[TestBedContext]:
    """A context for each test bed."""
    for number, bed in enumerate(site.test_beds):
        yield TestBedContext(site, bed, f"{slug(bed.key)}/" if number else "")


def slug(text: str) -> str:
    """A text as a part of an address."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")


def compact(text: str) -> str:
    """HTML without empty lines and indentation, except in preformatted text."""
    pieces = re.split(r"(<pre.*?</pre>)", text, flags=re.DOTALL)
    return "".join(
        piece
        if number % 2
        else re.sub(r"\n\s*\n+", "\n", re.sub(r"^[ \t]+|[ \t]+$", "", piece, flags=re.MULTILINE))
        for number, piece in enumerate(pieces)
    )
