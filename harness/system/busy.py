"""Decides whether the machine was busy with other work during a whole run, so that its times mean nothing.

The blocks of a run are compared with one another to find the noisy ones (`harness.lifecycles.blocks`). A load
that lasts longer than the run affects all of them, so the whole run is compared with absolute limits, and
with earlier runs on the same kind of machine.
"""

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from harness.system import conditions, files, processors
from harness.system.conditions import Conditions
from harness.system.environment import ROOT

MAX_PRESSURE = 0.5
"""The CPU pressure above which a machine is busy, as a fraction of wall time: a run by itself causes 0.1."""

MAX_EXTRA_PRESSURE = 0.15
"""The CPU pressure that a run may have beyond what is usual, as a fraction of wall time."""

MAX_STEAL = 0.05
"""The fraction of all processors' time that the hypervisor may give to other machines."""

MAX_RUNNING = 0.75
"""The number of tasks per processor, before the run begins, from which a machine is busy."""

MAX_CONTROL_RATIO = 1.5
"""The ratio to its usual time that a bare start method may have."""

SAMPLES, SAMPLE_S = 20, 0.02
"""Number of readings of the run queue, and the seconds between two."""

NO_CONCLUSION = "Nothing can be concluded from these times: measure again when the machine is idle."


@dataclass(frozen=True)
class Usual:
    """Medians over the quiet blocks of earlier runs with the same processors and Python."""

    controls: dict[str, float] = field(default_factory=dict)
    """Seconds to the first line of a bare worker, by start method."""
    pressure: float | None = None
    """CPU pressure, a fraction of wall time."""


def reason(
    blocks: Sequence[Conditions],
    controls: Sequence[Mapping[str, float]] = (),
    running: float | None = None,
    usual: Usual = Usual(),
    count: int = len(processors.ALL),
) -> str:
    """Why the machine was busy with other work; empty if nothing shows that it was.

    `blocks` and `controls` are those of each block of the run. `running` is the number of tasks per processor
    that ran before it; `count` is the number of processors that the run may use. Values that the kernel does
    not report are left out.
    """
    if running is not None and running >= MAX_RUNNING:
        return f"{running:.1f} tasks ran for each processor before the first measurement"
    steal = middle(block.steal for block in blocks)
    if steal is not None and steal > MAX_STEAL:
        return f"the hypervisor took {steal:.0%} of the time"
    pressure = middle(block.pressure for block in blocks)
    if pressure is not None:
        waited = f"tasks waited for a processor in {pressure:.0%} of the time"
        if usual.pressure is not None and pressure > usual.pressure + MAX_EXTRA_PRESSURE:
            return f"{waited}, {usual.pressure:.0%} in earlier runs"
        # With a single processor, the processes of a run wait for one another.
        if pressure > MAX_PRESSURE and count > 1:
            return waited
    for method, before in usual.controls.items():
        here = middle(block.get(method) for block in controls)
        if here is not None and here > MAX_CONTROL_RATIO * before:
            times = f"{here / before:.1f} times as long as in earlier runs on this processor"
            return f"a bare {method} took {times}"
    return ""


def sentence(why: str) -> str:
    """The sentence to put before all figures of a run, given its `reason`; empty if that is empty."""
    return f"busy: {why}. {NO_CONCLUSION}" if why else ""


def middle(values: Any) -> float | None:
    """The median of the values that are known; None if there are none."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def running_tasks() -> float | None:
    """The mean number of tasks per processor that run or wait for one, without this one.

    None if the kernel does not report it. Takes less than half a second.
    """
    counts = []
    for _ in range(SAMPLES):
        time.sleep(SAMPLE_S)
        try:
            found = re.search(r"^procs_running (\d+)", conditions.STAT.read_text(), re.MULTILINE)
        except OSError:
            return None
        if not found:
            return None
        counts.append(int(found[1]) - 1)
    return sum(counts) / len(counts) / (os.cpu_count() or 1)


@cache
def on_record(python: str, results: Path = ROOT / "results") -> Usual:
    """The usual values of machines with this processor, in results with this Python (`3.11`).

    Without such results there are none. Raises `PoolstartError` if a file is damaged.
    """
    return usual_of(
        [
            row
            for machine in sorted(results.glob("*/machine.json"))
            if is_this_processor(machine)
            for row in conditions.load(machine.parent).values()
            if str(row.get("facts", {}).get("python", "")).startswith(f"{python}.")
        ]
    )


def is_this_processor(machine: Path) -> bool:
    """Whether asv's machine.json describes a machine with the same processor and number of processors."""
    with files.reading(machine, "restore it with git, or remove it"):
        recorded = json.loads(machine.read_text())
    cpu = conditions.cpu()
    return bool(cpu) and (recorded.get("cpu"), recorded.get("num_cpu")) == (cpu, str(os.cpu_count()))


def usual_of(rows: Sequence[Mapping[str, Any]]) -> Usual:
    """The usual values of runs, as `conditions.jsonl` has them, without blocks and runs that were busy."""
    quiet = [
        [block for block in row.get("blocks", ()) if not block["disturbed"]]
        for row in rows
        if not row.get("busy")
    ]
    quiet = [blocks for blocks in quiet if blocks]
    methods = {method for blocks in quiet for block in blocks for method in block["controls"]}
    by_run = {
        method: middle(middle(block["controls"].get(method) for block in blocks) for blocks in quiet)
        for method in sorted(methods)
    }
    return Usual(
        {method: value for method, value in by_run.items() if value is not None},
        middle(middle(block["pressure"] for block in blocks) for blocks in quiet),
    )
