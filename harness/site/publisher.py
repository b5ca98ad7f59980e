"""The site as a part of `asv publish`."""

import shutil
from math import inf
from pathlib import Path
from typing import Any

from asv.config import Config
from asv.publishing import OutputPublisher

from harness.site import build

OWN = "asv"
"""Where asv's own pages are kept."""


class SitePublisher(OutputPublisher):
    """Move what asv has written to a directory of its own, and put our pages in its place."""

    order = inf

    @classmethod
    def publish(cls, conf: Config, *_: Any) -> None:
        target = Path(conf.html_dir)
        written = list(target.iterdir())
        own = target / OWN
        own.mkdir()
        for path in written:
            shutil.move(path, own)
        build.build(Path(conf.results_dir), target, asv=True)
        # asv writes its index after all publishers have run: it belongs to its pages.
        conf.html_dir = str(own)
