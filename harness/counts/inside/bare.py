"""The probe that does nothing: what a start method loads by itself. Imports nothing."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def work(channel: "Any") -> None:
    """Report the modules of this process, and wait for the message to exit."""
    import sys

    channel.send({"modules": list(sys.modules)})
    channel.recv()
