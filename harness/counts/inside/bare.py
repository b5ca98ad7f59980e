"""A worker that does nothing: what a start method brings by itself. Imports nothing."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def work(channel: "Any") -> None:
    """Tell which modules this process holds, and wait to be let go."""
    import sys

    channel.send({"modules": list(sys.modules)})
    channel.recv()
