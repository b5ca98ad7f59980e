"""What asv.conf.json loads besides: the publishers that `asv publish` calls."""

from harness.shown import graphdisplay

__all__ = ["graphdisplay"]
