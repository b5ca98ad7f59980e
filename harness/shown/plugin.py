"""What asv.conf.json loads besides: the publishers that `asv publish` calls."""

from harness.shown import graphdisplay, regressions

__all__ = ["graphdisplay", "regressions"]
