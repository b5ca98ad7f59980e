"""Graphs that highlight the releases they are asked to."""

from pathlib import Path
from typing import Any

from asv.config import Config
from asv.plugins.regressions import Regressions
from asv.publishing import OutputPublisher
from asv.util import UserError

SCRIPT = "graphdisplay.js"

ASV = "/^([a-z0-9]+)-([a-z0-9]+)$/"
RELEASES = "/^([a-z0-9.]+)-([a-z0-9.]+)$/"


class GraphDisplay(OutputPublisher):
    """Let the published graph page read a range of releases.

    asv expects hashes without dots, so that a link to `2.0.36-2.0.37`, as its regressions page
    writes it, paints the whole graph red.
    """

    order = Regressions.order

    @classmethod
    def publish(cls, conf: Config, *_: Any) -> None:
        script = Path(conf.html_dir) / SCRIPT
        text = script.read_text(encoding="utf-8")
        if text.count(ASV) != 1:
            raise UserError(f"asv has changed its {SCRIPT}: adapt harness/site/graphdisplay.py to it")
        script.write_text(text.replace(ASV, RELEASES), encoding="utf-8")
