"""Loaded by asv.conf.json: the publisher that `asv publish` calls."""

from harness.site import publisher

__all__ = ["publisher"]
