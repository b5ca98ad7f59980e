"""The version of Python and its kind of build, which keep series and records apart."""

import re
import sys

REFERENCE = "3.11"
"""The Python of the reference series: the only one for which all listed releases have compiled wheels."""


def minor(version: str = sys.version) -> str:
    """`3.14` for `3.14.10`, or for a text like `sys.version`; `3.14t` for a free-threaded build."""
    number = ".".join(re.findall(r"\d+", version)[:2])
    free = "free-threading" in version or re.match(r"[\d.]+t\b", version)
    return f"{number}t" if free else number


def full(version: str = sys.version) -> str:
    """`3.14.10` for a text like `sys.version`; `3.14.10t` for a free-threaded build."""
    return f"{version.split()[0]}{'t' if 'free-threading' in version else ''}"
