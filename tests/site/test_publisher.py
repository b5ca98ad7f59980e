"""`asv publish` writes our site, and keeps asv's own pages beside it."""

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import asv
import pytest
from asv.util import UserError

from harness.site.publisher import GRAPH_SCRIPT, HASHES, RELEASES, match_releases
from tests.support.results import MACHINE, SERVER, few
from tests.support.suite import CHECKOUT, Suite

WORSE = "2.0.0"

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published site of some releases; what they changed is on record."""
    suite = Suite(tmp_path_factory.mktemp("published"))
    (suite.directory / "records").symlink_to(CHECKOUT / "records")
    few(suite.directory / "results")
    for pattern in ("1.4.5?", "2.0.0[0-5]"):
        for path in MACHINE.glob(f"{pattern}-*{SERVER}.json"):
            shutil.copy(path, suite.directory / "results" / MACHINE.name)
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
