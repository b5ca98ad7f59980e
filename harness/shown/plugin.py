"""What asv.conf.json loads besides: the publishers that `asv publish` calls."""

from harness.shown import graphdisplay, regressions
from harness.shown.site import publisher

__all__ = ["graphdisplay", "publisher", "regressions"]
