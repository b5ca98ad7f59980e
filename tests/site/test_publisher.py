"""`asv publish` writes our site, and keeps asv's own pages beside it."""

import json
import re
import shutil
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import asv
import numpy as np
import pytest
from asv.util import UserError

from harness.releases.catalogue import catalogue
from harness.site.publisher import GRAPH_SCRIPT, HASHES, RELEASES, match_releases
from tests.support.suite import CHECKOUT, Suite

NAME = "startup.Startup.track_startup"
STRATEGIES, DATAFRAMES = ["'fork_dispose'", "'spawn'"], ["'none'", "'large'"]
WORSE, BETTER = "2.0.0", "2.0.30"
ENVIRONMENT = "release-py3.11"

ATOM = "{http://www.w3.org/2005/Atom}"


def write(suite: Suite) -> None:
    """Results of all releases; what they changed is on record, and the same on every machine."""
    (suite.directory / "records").symlink_to(CHECKOUT / "records")
    random = np.random.default_rng(1)
    machine = suite.directory / "results" / "m"
    machine.mkdir(parents=True)
    named = {"arch": "x", "cpu": "x", "machine": "m", "num_cpu": "2", "os": "x", "ram": "1"}
    (machine / "machine.json").write_text(json.dumps({**named, "version": 1}))
    benchmark = {
        "name": NAME, "code": "", "type": "track",
        "param_names": ["strategy", "dataframe"], "params": [STRATEGIES, DATAFRAMES],
         "unit": "seconds", "version": "3", "timeout": 60,
    }  # fmt: skip
    (machine.parent / "benchmarks.json").write_text(json.dumps({NAME: benchmark, "version": 2}))
    releases = catalogue().releases
    worse, better = ([release.version for release in releases].index(version) for version in (WORSE, BETTER))
    for number, release in enumerate(releases):
        samples = [
            list(0.1 * factor * np.exp(0.01 * random.standard_t(3, 5)))
            for strategy, _ in product(STRATEGIES, DATAFRAMES)
            for spawn in ["spawn" in strategy]
            for factor in [
                (1.15 if number >= worse else 1) * (0.95 if number >= better else 1) if spawn else 1
            ]
        ]
        written = {
            "commit_hash": release.hash, "env_name": ENVIRONMENT, "date": release.timestamp,
            "params": {**named, "python": "3.11"}, "python": "3.11", "requirements": {}, "env_vars": {},
            "result_columns": ["result", "params", "version", "started_at", "duration", "samples"],
            "results": {
                NAME: [[float(np.median(x)) for x in samples], [STRATEGIES, DATAFRAMES], "3",
                       release.timestamp, 1.0, samples],
            },
            "durations": {}, "version": 2,
        }  # fmt: skip
        (machine / f"{release.hash}-{ENVIRONMENT}.json").write_text(json.dumps(written))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published site of that history."""
    suite = Suite(tmp_path_factory.mktemp("published"))
    write(suite)
    publish = suite.asv("publish")
    assert publish.returncode == 0, publish.stdout
    return suite.directory / ".asv" / "html"


def test_our_pages_are_at_the_root_and_those_of_asv_in_a_folder(published: Path) -> None:
    index = (published / "index.html").read_text()
    assert "How should a Python program start workers" in index
    assert 'href="asv/index.html"' in index
    assert json.loads((published / "asv" / "index.json").read_text())["graph_param_list"]
    assert "airspeed velocity" in (published / "asv" / "index.html").read_text()
    assert (published / "asv" / "graphs").is_dir()


def test_the_feed_has_an_entry_for_each_change_of_a_metric(published: Path) -> None:
    feed = ElementTree.parse(published / "feed.xml").getroot()
    entries = {
        entry.findtext(f"{ATOM}title"): entry.findtext(f"{ATOM}summary", "")
        for entry in feed.iter(f"{ATOM}entry")
    }
    (worse,) = (summary for title, summary in entries.items() if f"SQLAlchemy {WORSE}: startup" in str(title))
    assert re.match(r"Of \d strategies: ", worse)
    assert "spawn +1" in worse
    assert "DataFrame" not in worse
    for link in feed.iter(f"{ATOM}link"):
        assert (published / link.attrib["href"]).is_file()
    ids = [element.text for element in feed.iter(f"{ATOM}id")]
    assert len(set(ids)) == len(ids)


def test_asv_itself_reports_no_change_of_a_figure(published: Path) -> None:
    # Whether a figure changed is decided by its noise: asv's own detection is left to verdicts.
    assert json.loads((published / "asv" / "regressions.json").read_text())["regressions"] == []


def test_the_graph_page_of_the_installed_asv_reads_ranges_of_releases(tmp_path: Path) -> None:
    original = Path(asv.__file__).parent / "www" / GRAPH_SCRIPT
    script = Path(shutil.copy(original, tmp_path))
    match_releases(script)
    patched = script.read_text()
    assert RELEASES in patched
    assert patched.replace(RELEASES, HASHES) == original.read_text()


def test_a_graph_page_that_asv_has_changed_is_an_error(tmp_path: Path) -> None:
    script = tmp_path / GRAPH_SCRIPT
    script.write_text("another program")
    with pytest.raises(UserError, match=r"asv has changed its graphdisplay\.js"):
        match_releases(script)
