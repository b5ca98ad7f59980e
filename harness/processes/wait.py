"""Waiting with a deadline.

A library would enter the measured environments, whose names are part of every series.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    read: Callable[[], T], seconds: float, *, accept: Callable[[T], object] = bool, poll: float = 0.01
) -> T:
    """Call `read` every `poll` seconds until `accept` is true of its result, or `seconds` have passed.

    Returns the last result, so that the caller can tell which of the two happened. `read` is called at least
    once, and once more after the deadline if that passes during a pause.
    """
    until = time.monotonic() + seconds
    while not accept(result := read()) and time.monotonic() < until:
        time.sleep(poll)
    return result
