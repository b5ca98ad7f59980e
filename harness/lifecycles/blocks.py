"""Blocks: what a run has measured, and which of it is noisy.

A block measures every cell once, and so gives one sample of each metric of each cell. Every benchmark process
imports this module: it imports nothing heavy.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from statistics import median, quantiles
from typing import Any

from harness.console.numbers import duration
from harness.drivers import MEASURED, modules_to_preload
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import Profile
from harness.processes.errors import NotApplicable, Rejected
from harness.system import busy, pythons
from harness.system.busy import MAX_EXTRA_PRESSURE, Usual
from harness.system.conditions import Conditions, facts

VERSION = "3"
"""Of the instrument: it changes whenever a metric changes its meaning, and asv then begins a new series."""

MAX_CONTROL_RATIO = 1.25
"""A block is noisy if a bare start method takes longer than this multiple of its median over all blocks."""

MAX_STEAL = 0.02
"""A block is noisy if the hypervisor takes more than this fraction of the time."""

TURN_S = 2.0
"""Seconds of one cell in a block, roughly: the time left before anything has been measured."""


@dataclass(frozen=True)
class Block:
    """One round over all cells: a sample of each metric of each cell."""

    seed: int
    """Determines the order of the cells."""
    began: str
    """UTC, in ISO 8601."""
    samples: dict[str, dict[str, float]]
    """By cell and metric, in seconds or bytes."""
    collections: dict[str, list[list[int]]]
    """Garbage collections of a cell's last worker, by phase and generation."""
    controls: dict[str, float]
    """Seconds to the first line of a bare worker, by start method."""
    conditions: Conditions
    noise: str = ""
    """Why the block is noisy; empty for a quiet one."""


@dataclass
class MeasuredRun:
    """All blocks of a run, and the cells that could not be measured."""

    release: str
    server: str
    """Its identity (`harness.postgres.server`)."""
    blocks: list[Block] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What affects the figures and is in no name: interpreter, driver, libpq, C extensions."""
    rejected: dict[str, str] = field(default_factory=dict)
    """Reasons by cell."""
    not_applicable: dict[str, str] = field(default_factory=dict)
    """Reasons by cell."""
    drivers_to_preload: dict[str, str] = field(default_factory=dict)
    """By strategy, the driver that its fork server should have preloaded."""
    not_checked: str = ""
    """What the checks of these lifecycles could not see, and why."""
    driver: str = MEASURED.name
    """As `harness.drivers` names it."""
    min_quiet: int = 0
    """Noisy blocks are left out as long as so many quiet ones remain."""
    running: float | None = None
    """Tasks that ran before the first block, for each processor; None if unknown."""
    usual: Usual = field(default_factory=Usual)
    """What earlier runs on this processor had."""

    def samples(self, cell: Cell, metric: str) -> list[float]:
        """One sample per used block, in seconds or bytes; empty if the cell or metric was not measured.

        Raises `Rejected` or `NotApplicable` with the reason if the cell could not be measured.
        """
        if reason := self.rejected.get(cell.id):
            raise Rejected(reason)
        if reason := self.not_applicable.get(cell.id):
            raise NotApplicable(reason)
        return [
            value
            for block in self.used_blocks()
            if (value := block.samples.get(cell.id, {}).get(metric)) is not None
        ]

    def controls(self, method: str) -> list[float]:
        """Seconds to the first line of a bare worker, one sample per used block."""
        return [block.controls[method] for block in self.used_blocks()]

    @property
    def warnings(self) -> list[str]:
        """What was not checked, and what a strategy can do to start workers faster, a line each."""
        return [
            *filter(None, [self.not_checked]),
            *(
                f"{strategy}: the engine uses {driver}, which the fork server has not preloaded;"
                f" let it preload {', '.join(modules_to_preload(driver))}"
                for strategy, driver in self.drivers_to_preload.items()
            ),
        ]

    def used_blocks(self) -> list[Block]:
        """The quiet blocks; all blocks if fewer than `min_quiet` are quiet."""
        quiet = [block for block in self.blocks if not block.noise]
        return quiet if len(quiet) >= self.min_quiet else self.blocks

    @property
    def busy(self) -> str:
        """Why nothing can be concluded from the figures; empty if nothing shows that the machine was busy."""
        return busy.reason(
            [block.conditions for block in self.blocks],
            [block.controls for block in self.blocks],
            self.running,
            self.usual,
        )

    @property
    def python(self) -> str:
        """The version that the measured interpreter reported, for example `3.11.7`; empty if none did."""
        reported = str(self.facts.get("python", ""))
        return pythons.full(reported) if reported else ""

    @property
    def noisy(self) -> str:
        """Why the figures are less reliable than others; empty if all used blocks are quiet."""
        used = self.used_blocks()
        noisy = [block for block in used if block.noise]
        if not noisy:
            return ""
        return (
            f"the machine was busy with something else in {len(noisy)} of {len(used)} blocks: "
            f"{noisy[0].noise}"
        )

    def metadata(self) -> dict[str, Any]:
        """The conditions of the measurement, as a line of `conditions.jsonl`: everything but samples."""
        return {
            "release": self.release,
            "server": self.server,
            "instrument": VERSION,
            "facts": {**self.facts, **facts()},
            "busy": self.busy,
            "noisy": self.noisy,
            "rejected": self.rejected,
            "blocks": [
                {
                    "began": block.began,
                    "seed": block.seed,
                    "cells": len(block.samples),
                    "controls": {method: float(f"{value:.4g}") for method, value in block.controls.items()},
                    **asdict(block.conditions),
                    "disturbed": block.noise,  # named so since the first line of the file
                }
                for block in self.blocks
            ],
        }


def noise_reason(conditions: Conditions, usual_wait: float) -> str:
    """Why the kernel's figures show that other work took processor time; empty if they do not.

    `usual_wait` is the CPU pressure that is usual here, as a fraction of wall time.
    """
    if (conditions.steal or 0) > MAX_STEAL:
        return f"the hypervisor took {conditions.steal:.0%} of the time"
    if (conditions.pressure or 0) > usual_wait + MAX_EXTRA_PRESSURE:
        return f"tasks waited for a processor in {conditions.pressure:.0%} of the time"
    return ""


def mark_noisy(blocks: Sequence[Block]) -> list[Block]:
    """The same blocks, each with the reason if it is noisy compared with the others."""
    usual_wait = median(waited) if (waited := [b.conditions.pressure or 0 for b in blocks]) else 0
    usual = {
        method: median(block.controls[method] for block in blocks if method in block.controls)
        for method in (blocks[0].controls if blocks else ())
    }

    def reason(block: Block) -> str:
        if busy := noise_reason(block.conditions, usual_wait):
            return busy
        for method, value in block.controls.items():
            if value > MAX_CONTROL_RATIO * usual[method]:
                return f"a bare {method} took {value / usual[method]:.1f} times its usual time"
        return ""

    return [replace(block, noise=reason(block)) for block in blocks]


def relative_ci(values: Sequence[float]) -> float:
    """Half the 95 % confidence interval of the median, as a fraction of it; infinite for under three values.

    The notch of a box plot, from the quartiles (McGill, Tukey and Larsen, "Variations of box plots", 1978).
    """
    if len(values) < 3:
        return float("inf")
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return float(1.57 * (high - low) / len(values) ** 0.5 / middle)


def in_block(
    number: int, turns: int, profile: Profile, elapsed: Callable[[], float], report: Callable[[str], None]
) -> Callable[[str], None]:
    """A report of progress whose steps are the turns of a block, with the time that is left of the run.

    `elapsed` returns the seconds since the run began.
    """
    turn = count(1)

    def show(step: str) -> None:
        at = next(turn)
        if number <= profile.blocks:
            done = number - 1 + (at - 1) / turns
            pace = elapsed() / done if done else TURN_S * turns
            left = f"about {duration((profile.blocks - done) * pace)} left"
        else:
            left = f"for steadier figures, at most {duration(profile.budget - elapsed())} left"
        report(f"block {number} of at least {profile.blocks}, {at} of {turns}, {left}: {step}")

    return show
