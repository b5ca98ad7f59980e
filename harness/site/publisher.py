"""The site as a part of `asv publish`: our pages at the root, asv's own in a folder."""

import shutil
from math import inf
from pathlib import Path
from typing import Any

from asv.config import Config
from asv.console import log
from asv.publishing import OutputPublisher

from harness.site import build

ASV_FOLDER = "asv"

GRAPH_SCRIPT = "graphdisplay.js"

HASHES = "/^([a-z0-9]+)-([a-z0-9]+)$/"
"""The pattern by which asv's graph page matches a range of commits in its address."""

RELEASES = "/^([a-z0-9.]+)-([a-z0-9.]+)$/"
"""The same for releases, which have dots. Without it, a graph that is opened from a range in asv's list of
benchmarks is painted red as a whole."""


class SitePublisher(OutputPublisher):
    """Move what asv has written to a folder of its own, and write our pages in its place."""

    order = inf

    @classmethod
    def publish(cls, conf: Config, *_: Any) -> None:
        target = Path(conf.html_dir)
        written = list(target.iterdir())
        own = target / ASV_FOLDER
        own.mkdir()
        for path in written:
            shutil.move(path, own)
        script = own / GRAPH_SCRIPT
        script.write_text(script.read_text(encoding="utf-8").replace(HASHES, RELEASES), encoding="utf-8")
        for remark in build.build(Path(conf.results_dir), target, asv=True):
            log.warning(f"not shown: {remark}")
        # asv writes its index after all publishers have run, and it belongs to asv's pages.
        conf.html_dir = str(own)
