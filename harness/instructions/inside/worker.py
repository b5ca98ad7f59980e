"""The counted worker: the same steps as the measured one, with a mark at the end of each phase.

A mark is a call of `getsid`, a function of the C library that nothing else in the worker calls: callgrind
writes a profile and begins a new one whenever that function is entered.
"""

from __future__ import annotations

import os
import sys
from os import getsid

from harness.lifecycles.inside import worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sqlalchemy.engine import Engine

PHASE = ""
"""The mark at the end of a phase, among those of imports."""


def work(in_worker: Callable[[Any], Engine], handed: Any, channel: Any, token: str) -> None:
    """Mark the first line, the usable engine, the first row and the second row, then report and exit."""
    imports = sys.modules.get("harness.instructions.inside.imports")
    marks: list[str | None] = imports.marks if imports else []
    getsid(0)
    marks.append(PHASE)
    engine = in_worker(handed)
    getsid(0)
    marks.append(PHASE)
    first = worker.fetch(engine, token)
    getsid(0)
    marks.append(PHASE)
    second = worker.fetch(engine, token)
    getsid(0)
    marks.append(PHASE)
    channel.send({"rows": (first, second), "marks": list(marks)})
    # The interpreter's way out is no phase: it takes seconds under callgrind.
    os._exit(0)
