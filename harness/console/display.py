"""Displays that are redrawn in a terminal, and can all be stopped at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from harness.console import terminal

_descriptors: set[int] = set()
"""The descriptors that the displays draw to."""


@contextmanager
def console() -> Iterator[Console]:
    """Standard error, for one display; in a terminal, `stop` ends it."""
    if not os.isatty(2):
        yield terminal.errors()
        return
    with os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace") as file:
        _descriptors.add(file.fileno())
        try:
            yield Console(file=file, highlight=False, markup=False, emoji=False)
        finally:
            _descriptors.discard(file.fileno())


def stop() -> None:
    """Let no display draw from here on.

    It takes no lock, because the thread that was interrupted may hold any of them.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in tuple(_descriptors):
        os.dup2(null, descriptor)
