"""What else the machine did while something was measured."""

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.system import files, processors

PRESSURE = Path("/proc/pressure/cpu")
STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Conditions:
    """A stretch of measuring, by the kernel's own account."""

    seconds: float
    pressure: float | None
    """The part of that time in which some task waited for a processor (`/proc/pressure/cpu`, `some`)."""
    steal: float | None
    """The part of all processors' time that the hypervisor gave to others (`/proc/stat`)."""
    load: float
    """The load average of the last minute at its end."""


class Watch:
    """Watches from its making to `conditions`."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._stalled = stalled()
        self._ticks = ticks()

    def conditions(self) -> Conditions:
        seconds = time.monotonic() - self._began
        now, (stolen, total) = stalled(), ticks()
        before, (stolen_before, total_before) = self._stalled, self._ticks
        return Conditions(
            seconds=round(seconds, 3),
            pressure=None if now is None or before is None else round((now - before) / 1e6 / seconds, 4),
            steal=round((stolen - stolen_before) / (total - total_before), 5)
            if total > total_before
            else None,
            load=os.getloadavg()[0],
        )


def stalled() -> float | None:
    """Microseconds since boot in which a task waited for a processor; None if the kernel does not say."""
    try:
        found = re.search(r"^some .*total=(\d+)", PRESSURE.read_text(), re.MULTILINE)
    except OSError:
        return None
    return float(found[1]) if found else None


def ticks() -> tuple[int, int]:
    """Stolen and all ticks of all processors since boot."""
    try:
        line = STAT.read_text().splitlines()[0]
    except OSError:
        return 0, 0
    fields = [int(field) for field in line.split()[1:9]]
    return fields[7], sum(fields)


def facts() -> dict[str, Any]:
    """What of this machine decides a figure, besides what asv records of it."""
    return {
        "kernel": os.uname().release,
        "arch": os.uname().machine,
        "processors": len(processors.ALL),
    }


FILE = "conditions.jsonl"
"""Beside the results of a machine: a line for each of its results files."""


def load(directory: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The accounts of a machine's results, by release and environment."""
    path = directory / FILE
    if not path.exists():
        return {}
    with files.reading(path, "restore it with git, or remove it: no figure is lost with it"):
        accounts = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        return {(account["release"], account["environment"]): account for account in accounts}


def save(directory: Path, account: dict[str, Any]) -> None:
    """Put an account beside its results, in the place of an older one."""
    accounts = {**load(directory), (account["release"], account["environment"]): account}
    directory.mkdir(parents=True, exist_ok=True)
    files.write(directory / FILE, "".join(json.dumps(accounts[key]) + "\n" for key in sorted(accounts)))
