"""The conditions of a measurement: the load of the machine meanwhile, and facts about the machine."""

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
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Conditions:
    """The load of the machine over an interval, as the kernel reports it."""

    seconds: float
    pressure: float | None
    """The fraction of the time in which some task waited for a processor (`/proc/pressure/cpu`, `some`)."""
    steal: float | None
    """The fraction of all processors' time that the hypervisor gave to other machines (`/proc/stat`)."""
    load: float
    """The load average of the last minute, at the end of the interval."""


class ConditionsMeter:
    """Measures the conditions from its creation."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._stalled = stalled()
        self._ticks = ticks()

    def conditions(self) -> Conditions:
        """The conditions since the meter was created."""
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
    """Microseconds since boot in which a task waited for a processor; None if unknown."""
    try:
        total = re.search(r"^some .*total=(\d+)", PRESSURE.read_text(), re.MULTILINE)
    except OSError:
        return None
    return float(total[1]) if total else None


def ticks() -> tuple[int, int]:
    """Stolen ticks and all ticks of all processors since boot; zeros if the kernel does not report them."""
    try:
        line = STAT.read_text().splitlines()[0]
    except OSError:
        return 0, 0
    fields = [int(field) for field in line.split()[1:9]]
    return fields[7], sum(fields)


def cpu() -> str:
    """The name of the processor as asv records it; empty if the kernel does not report it."""
    try:
        name = re.search(r"^model name\s*:\s*(.+)$", CPUINFO.read_text(), re.MULTILINE)
    except OSError:
        return ""
    return name[1].strip() if name else ""


def facts() -> dict[str, Any]:
    """The properties of this machine that affect figures and that asv does not record."""
    return {
        "kernel": os.uname().release,
        "arch": os.uname().machine,
        "processors": len(processors.ALL),
    }


FILE = "conditions.jsonl"
"""The metadata file in a machine's results directory: one line for each results file."""


Runs = dict[tuple[str, str], dict[str, Any]]
"""The metadata of runs by release and environment."""


def load(directory: Path) -> Runs:
    """The metadata of a machine's results by release and environment; empty if there is no file.

    Raises `PoolstartError` if the file is damaged.
    """
    path = directory / FILE
    if not path.exists():
        return {}
    with files.reading(path, "restore it with git, or remove it: no figure is lost with it"):
        rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        return {(row["release"], row["environment"]): row for row in rows}


def save(directory: Path, metadata: dict[str, Any]) -> None:
    """Store the metadata of one results file in place of older ones.

    Raises `PoolstartError` if the file is damaged or cannot be written.
    """
    rows = {**load(directory), (metadata["release"], metadata["environment"]): metadata}
    directory.mkdir(parents=True, exist_ok=True)
    files.write(directory / FILE, "".join(json.dumps(rows[key]) + "\n" for key in sorted(rows)))
