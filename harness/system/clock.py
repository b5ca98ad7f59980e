"""Where a run's time went: written down by whoever spent it, added up at the end of an asv run."""

import json
import os

FILE = "POOLSTART_RUN_CLOCK"
"""Environment variable, internal: the file to write to; nothing is kept without it."""

WHAT = {
    "lifecycles": "in lifecycles",
    "parents": "booting parents",
    "hazards": "in trials of hazards",
    "pools": "in pools",
}
"""What time is spent on, and how the account names it."""


def record(what: str, seconds: float) -> None:
    """Note `seconds` spent on one of `WHAT`."""
    path = os.environ.get(FILE)
    if path:
        with open(path, "a") as file:
            file.write(json.dumps({what: seconds}) + "\n")
