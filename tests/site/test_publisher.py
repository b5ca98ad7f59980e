"""`asv publish` writes our site, and keeps asv's own pages beside it."""

import json
import shutil
from pathlib import Path

import asv
import pytest
from asv.util import UserError

from harness.site.publisher import GRAPH_SCRIPT, HASHES, RELEASES, match_releases
from tests.support.results import few
from tests.support.suite import CHECKOUT, Suite


def test_our_pages_are_at_the_root_and_those_of_asv_in_a_folder(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    (suite.directory / "records").symlink_to(CHECKOUT / "records")
    few(suite.directory / "results")
    publish = suite.asv("publish")
    assert publish.returncode == 0, publish.stdout
    published = suite.directory / ".asv" / "html"
    index = (published / "index.html").read_text()
    assert "How should a Python program start workers" in index
    assert 'href="asv/index.html"' in index
    assert json.loads((published / "asv" / "index.json").read_text())["graph_param_list"]
    assert "airspeed velocity" in (published / "asv" / "index.html").read_text()
    assert (published / "asv" / "graphs").is_dir()


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
