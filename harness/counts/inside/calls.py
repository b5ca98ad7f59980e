"""A counter of calls of Python functions. Imports nothing but `sys`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

Calls = list[tuple[str, str, int]]
"""Module, qualified name, number of calls."""


class Counter:
    """A profile function that counts the calls of each Python function."""

    def __init__(self) -> None:
        self._counts: dict[CodeType, list[Any]] = {}

    def start(self) -> None:
        sys.setprofile(self)

    def stop(self) -> Calls:
        """The calls since `start`."""
        sys.setprofile(None)
        counts, self._counts = self._counts, {}
        return [(module, code.co_qualname, number) for code, (module, number) in counts.items()]

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            entry = self._counts.get(frame.f_code)
            if entry is None:
                self._counts[frame.f_code] = [frame.f_globals.get("__name__", ""), 1]
            else:
                entry[1] += 1
