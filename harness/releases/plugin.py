"""What asv.conf.json loads: importing the classes is what makes asv find them."""

from harness.releases import environment, machine, repo
from harness.site import graphdisplay

__all__ = ["environment", "graphdisplay", "repo", "setup"]


def setup() -> None:
    """Called by asv when it has loaded the plugin, before it runs a command."""
    machine.ensure()
