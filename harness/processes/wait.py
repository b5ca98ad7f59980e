"""Waiting with a deadline.

Written here because a library would enter the measured environments, whose names are part of every series.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float, *, poll: float = 0.01) -> T:
    """Call `condition` every `poll` seconds until its result is true or `seconds` have passed.

    Returns the last result, which is false if the time ran out. `condition` is called at least once, and once
    more after the deadline if it passed during a pause.
    """
    until = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < until:
        time.sleep(poll)
    return result
