"""The files derived from results/ and records/: README.md's regions, pages in docs/ and figures.

To add one, add an entry to `DERIVED`. `poolstart pages` writes it, `poolstart pages --check` compares it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.answer import claims, readme, results_report, strategies_page
from harness.answer.code import measured
from harness.answer.figures import answers
from harness.answer.figures.results import ReleaseResults
from harness.comparisons import servers, servers_report
from harness.comparisons.drivers import report as drivers_report
from harness.comparisons.pythons import report as pythons_report
from harness.console import markdown
from harness.curves import bill, curve
from harness.curves import report as curves_report
from harness.doctor.proof import report as doctor_report
from harness.fleets import figures as fleets
from harness.fleets import report as fleets_report
from harness.hazards import report as hazards_report
from harness.history.sensitivity import machines
from harness.history.sensitivity import record as sensitivity
from harness.history.sensitivity import report as sensitivity_report
from harness.lookalikes import report as lookalikes_report
from harness.poolers import figures as poolers
from harness.poolers import report as poolers_report
from harness.programs import report as programs_report
from harness.site import picture
from harness.system import files
from harness.system.environment import ROOT

T = TypeVar("T")


@dataclass(frozen=True)
class Derived:
    """A file, or a region of one, and the function that makes its text."""

    path: str
    """Relative to the checkout."""
    render: Callable[[Path], str | None]
    """Gets the directory of asv's results; returns None if its record does not exist."""
    region: str = ""
    """The mark in the file at which the region begins; empty if the whole file is derived."""


def _answer(render: Callable[[ReleaseResults], str]) -> Callable[[Path], str]:
    """A text made from the answer's results."""
    return lambda directory: render(answers.default(directory))


def _claims(language: str) -> Callable[[Path], str]:
    return _answer(lambda found: claims.render(language, found))


def _recorded(load: Callable[[], T | None], render: Callable[[T], str]) -> Callable[[Path], str | None]:
    """A text made from a record, if there is one."""

    def rendered(_: Path) -> str | None:
        record = load()
        return render(record) if record else None

    return rendered


def _curves(render: Callable[..., str | None]) -> Callable[[Path], str | None]:
    def rendered(_: Path) -> str | None:
        recorded, table = curve.load(), fleets.load()
        return render(recorded, bill.on_record(table, recorded) if table else None) if recorded else None

    return rendered


def _drawing(name: str) -> Callable[[Path], str | None]:
    return lambda _: curves_report.drawing(name, curve.load())


def _sensitivity(record: Path) -> Callable[[Path], str | None]:
    def render(_: Path) -> str | None:
        return sensitivity_report.load(record) if record.exists() else None

    return render


DERIVED = (
    Derived("README.md", _answer(readme.guide), region="poolstart pages: guide"),
    Derived("README.md", _answer(readme.answer), region="poolstart pages: answer"),
    Derived("README.md", _curves(curves_report.laws), region="poolstart pages: laws"),
    Derived("docs/answer.svg", _answer(picture.render)),
    Derived("docs/answer-narrow.svg", _answer(lambda found: picture.render(found, picture.NARROW))),
    Derived("docs/results.md", _answer(results_report.page)),
    Derived("docs/strategies.md", _answer(strategies_page.render)),
    Derived("docs/sever.md", lambda _: measured.severing(), region="poolstart pages: sever"),
    Derived("docs/hazards.md", lambda _: hazards_report.render()),
    Derived("docs/lookalikes.md", lambda _: lookalikes_report.render()),
    *(Derived(path, _claims(language)) for language, path in claims.PAGES.items()),
    Derived("docs/poolers.md", _recorded(poolers.load, poolers_report.render)),
    Derived("docs/fleets.md", _recorded(fleets.load, fleets_report.render)),
    Derived("docs/curves.md", _curves(curves_report.render)),
    Derived("docs/curves-fleets.svg", _curves(curves_report.fleets_drawing)),
    *(Derived(f"docs/curves-{name}.svg", _drawing(name)) for name in curves_report.SECTIONS),
    Derived("docs/programs.md", _recorded(programs_report.load, programs_report.render)),
    Derived("docs/doctor.md", lambda _: doctor_report.render(), region="poolstart pages: detected"),
    Derived("docs/drivers.md", lambda _: drivers_report.render()),
    Derived("docs/pythons.md", lambda _: pythons_report.render(), region="poolstart pages: pythons"),
    Derived(
        "docs/servers.md", _recorded(servers.load, servers_report.text), region="poolstart pages: servers"
    ),
    Derived("docs/statistics.md", machines.section, region="poolstart pages: machines"),
    Derived("docs/sensitivity.md", _sensitivity(sensitivity.RECORD)),
    Derived("docs/sensitivity_loaded.md", _sensitivity(sensitivity.LOADED)),
)


def outdated(names: tuple[str, ...] = (), results: Path = ROOT / "results") -> Iterator[tuple[Derived, str]]:
    """The derived files that are out of date, each with the text that it should have.

    `names` restricts this to some paths. Raises PoolstartError if a result, a record or a page cannot be
    read, or a page has lost the marks of its region.
    """
    for derived in DERIVED:
        if names and derived.path not in names:
            continue
        text = derived.render(results)
        if text is None:
            continue
        path = ROOT / derived.path
        if derived.region:
            text = markdown.with_region(path, derived.region, text)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            yield derived, text


def write(derived: Derived, text: str) -> None:
    """Replace the file. Raises PoolstartError if it cannot be written."""
    path = ROOT / derived.path
    path.parent.mkdir(exist_ok=True)
    files.write(path, text)
