"""The pages say what was measured, and lead where they say."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from typer.testing import CliRunner

from harness.answer import recommendation
from harness.cli.commands import app
from harness.hazards import catalogue
from harness.history import changes
from harness.instructions import table as instructions
from harness.lifecycles import checks, metrics
from harness.lifecycles.metrics import Table
from harness.releases.catalogue import catalogue as releases
from tests.support.results import RESULTS, median_of

LIMIT = 3_500_000
"""Bytes of all our pages together."""


class Page(HTMLParser):
    """Its links, what it loads, its anchors, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.text = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in ("link", "script", "img") and (source := given.get("href") or given.get("src")):
            self.loaded.append(source)
        if "id" in given:
            self.anchors.add(given["id"])

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def read(site: Path) -> dict[Path, Page]:
    return {path.resolve(): Page(path) for path in site.rglob("*.html")}


def test_every_link_leads_to_a_page_and_a_place_on_it(read: dict[Path, Page]) -> None:
    broken = []
    for path, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https", link
                continue
            assert not link.startswith("/"), f"{path.name} knows where it is served: {link}"
            aim = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not aim.is_file() or (
                parts.fragment and aim in read and parts.fragment not in read[aim].anchors
            ):
                broken.append((path.name, link))
    assert broken == []


def test_the_chooser_leads_to_what_pythons_drivers_and_poolers_change(
    site: Path, read: dict[Path, Page]
) -> None:
    links = read[(site / "choose.html").resolve()].links
    assert {"pythons.html", "drivers.html", "poolers.html"} <= set(links)
    assert "What Python 3.14 changes for you" in read[(site / "pythons.html").resolve()].text


def test_nothing_is_loaded_from_elsewhere(read: dict[Path, Page]) -> None:
    for page in read.values():
        assert [source for source in page.loaded if source != "data:,"] != []
        assert all(not urlsplit(source).netloc for source in page.loaded)


def test_there_is_a_page_for_each_release_hazard_and_figure(site: Path) -> None:
    measured = {path.name.partition("-")[0] for path in RESULTS.glob("*/*-release-*.json")}
    expected = {release.version for release in releases().releases if release.hash in measured}
    assert {path.stem for path in (site / "releases").iterdir()} == expected
    assert {path.stem for path in (site / "symptoms").iterdir()} == set(catalogue.IDS)
    benchmarks = json.loads((RESULTS / "benchmarks.json").read_text())
    assert {path.stem for path in (site / "figures").iterdir()} == {
        metric.id for metric in metrics.shown_in(Table.SITE) if metric.benchmark in benchmarks
    } - {"time_to_first_row"}


def test_the_whole_history_is_small(site: Path) -> None:
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < LIMIT
    assert (site / "index.html").stat().st_size < 40_000


def test_every_error_message_is_found_on_the_page_of_symptoms(site: Path, read: dict[Path, Page]) -> None:
    text = read[(site / "symptoms.html").resolve()].text
    for hazard in catalogue.load_all():
        for message in (hazard.title, hazard.symptom, *hazard.messages):
            assert message in text


def test_the_page_of_the_method_lists_every_check(site: Path) -> None:
    page = (site / "method.html").read_text()
    listed = re.findall(r"<li>(.*?)</li>", page.partition('id="checks"')[2].partition("</ul>")[0])
    assert [unescape(re.sub("</?code>", "`", line)) for line in listed] == [
        check.__doc__ for check in checks.CHECKS
    ]


def test_every_rule_has_an_answer() -> None:
    numbers = {number for number, _ in recommendation.decisions().values()}
    assert numbers == set(range(len(recommendation.rules())))


def test_a_release_lists_what_is_counted_and_changed(site: Path) -> None:
    benchmark = "exact.Work.track_calls_first_query"
    was, now = (median_of(release, benchmark, "spawn", "none") for release in ("2.0.17", "2.0.18"))
    assert was != now
    text = (site / "releases" / "2.0.18.html").read_text()
    assert f"{now:.0f} instead of {was:.0f} calls of Python functions in the first query" in text
    # What stays as it was is not listed.
    assert "statements in the first query" not in text


def test_a_release_does_not_repeat_its_counts_as_their_own_cause(site: Path) -> None:
    explained = 0
    for path in site.glob("releases/*.html"):
        text = path.read_text()
        counted = {
            (unescape(what), strategy)
            for what, of in re.findall(r"<li>([^<:]*): ([\w, ]+)</li>", text.partition("<h3>Why</h3>")[0])
            for strategy in of.split(", ")
        }
        causes = re.findall(r"<dt><code>(\w+)</code></dt><dd><ul>(.*?)</ul>", text)
        explained += len(causes)
        given = {
            (unescape(sentence), strategy)
            for strategy, items in causes
            for sentence in re.findall(r"<li>(.*?)</li>", items)
        }
        assert not counted & given, path
    assert explained > 10


def test_overview_list_and_command_name_the_same_releases(site: Path) -> None:
    text = (site / "releases.html").read_text()
    overview = text.partition('<section id="changed">')[2].partition("</section>")[0]
    table, _, minor = overview.partition("</table>")
    noticed, others = (re.findall(r'<a href="releases/([\d.]+)\.html"', part) for part in (table, minor))
    named = [*noticed, *others]
    marked = re.findall(r'<a href="releases/([\d.]+)\.html" class="stepped">', text)
    known = changes.recorded()
    counted = instructions.load()
    assert counted
    instructed = instructions.changes(counted.rows)
    paired = {change.release for change in known.paired}
    assert set(noticed) == paired | {each.after.release for each in instructed if each.whole}
    assert len(named) == len(set(named))
    found = paired | {change.release for change in known.counts}
    assert set(named) == set(marked) == found | {each.after.release for each in instructed}
    printed = CliRunner().invoke(app, ["changes"]).stdout
    lines = re.findall(r"^([\d.]+) ", printed.partition("Only counts")[0], re.MULTILINE)
    # First a line for each, then the causes.
    assert list(dict.fromkeys(lines)) == noticed[::-1]
    assert f"changed in {', '.join(others[::-1])}." in printed


def test_a_step_says_its_interval_and_how_many_pairs_were_measured(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "releases" / "2.0.44.html").read_text())
    named = re.findall(r"% to \S+ %; (\d+) pairs\)", text)
    shown = {metric.id for metric in metrics.shown_in(Table.SITE)}
    real = [
        change
        for change in changes.recorded().paired
        if change.release == "2.0.44" and change.metric in shown
    ]
    assert sorted(map(int, named)) == sorted(change.pairs for change in real)
    assert real


def test_strategies_that_run_the_same_code_change_at_the_same_releases(site: Path) -> None:
    text = (site / "figures" / "startup.html").read_text()
    charts = re.findall(r'<figure class="series" id="(\w+)-(\w+)">(.*?)</figure>', text, re.DOTALL)
    steps = {
        (frame, name): re.findall(r"<b>([\d.]+)</b> (\S+ %)", drawn.partition('class="named"')[2])
        for frame, name, drawn in charts
    }
    assert "2.1.0" in dict(steps["none", "spawn"])
    same = [(frame, name) for frame in ("none", "large") for name in ("spawn", "forkserver")]
    assert all(steps[cell] == steps["none", "spawn"] for cell in same)
    assert ">no pairs<" not in text


def test_the_page_of_2_1_0_first_says_which_driver_a_url_means_from_now_on(site: Path) -> None:
    noted = {
        page.stem for page in (site / "releases").glob("*.html") if 'class="upgrade"' in page.read_text()
    }
    assert noted == {"2.1.0"}
    changes = (site / "releases" / "2.1.0.html").read_text().partition('<section id="changes">')[2]
    assert re.match(
        r"<h2>[^<]*</h2>\s*<p class=\"upgrade\"><b>From SQLAlchemy 2.1 on, postgresql://", changes
    )


def test_title_and_heading_are_what_people_search_for(site: Path) -> None:
    for name in catalogue.IDS:
        text = unescape((site / "symptoms" / f"{name}.html").read_text())
        (title,) = re.findall(r"<title>(.*?) · poolstart</title>", text)
        (heading,) = re.findall(r"<h1>(.*?)<small>", text)
        assert heading in title
