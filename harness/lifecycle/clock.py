"""Where a run's time went: written down by whoever spent it, added up at the end of an asv run."""

import json
import os

FILE = "POOLSTART_RUN_CLOCK"
"""Environment variable, internal: the file to write to; nothing is kept without it."""


def record(what: str, seconds: float) -> None:
    path = os.environ.get(FILE)
    if path:
        with open(path, "a") as file:
            file.write(json.dumps({what: seconds}) + "\n")
