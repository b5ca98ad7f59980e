"""`asv publish` writes our site, and keeps asv's own pages beside it."""

import json
from pathlib import Path

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
