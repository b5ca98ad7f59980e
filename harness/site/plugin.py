"""What asv.conf.json loads besides: the publishers that `asv publish` calls."""

from harness.site import graphdisplay, publisher, regressions

__all__ = ["graphdisplay", "publisher", "regressions"]
