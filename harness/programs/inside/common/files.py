"""A queue of files, for programs that take no requests: the client asks, and one worker answers."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from harness.programs.inside.common.database import SCRATCH

DEADLINE = 50.0
"""Seconds for a worker to answer."""

POLL = 0.002
"""Seconds between two looks; a first row can be late by this much."""


def ask(token: str) -> Callable[[], Any]:
    (SCRATCH / f"asked-{token}").touch()
    return partial(answer, token)


def answer(token: str) -> Any:
    until = time.monotonic() + DEADLINE
    path = SCRATCH / f"answer-{token}"
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError("no worker has answered")
        time.sleep(POLL)
    return json.loads(path.read_text())


def serve(work: Callable[[str], Any]) -> None:
    """In a worker: wait for a token, and answer it."""
    while True:
        for path in SCRATCH.glob("asked-*"):
            token = path.name.removeprefix("asked-")
            # Another worker may be faster.
            with suppress(FileNotFoundError):
                path.rename(SCRATCH / f"taken-{token}")
                unfinished = SCRATCH / f"unfinished-{token}"
                unfinished.write_text(json.dumps(work(token)))
                unfinished.rename(SCRATCH / f"answer-{token}")
                return
        time.sleep(POLL)
