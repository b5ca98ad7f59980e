"""Blocks: what a run has measured, and what a figure of it is worth.

A block is one turn of every cell; a figure has a sample of each. Every benchmark process reads them, so
nothing heavy is imported here.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from statistics import median, quantiles
from typing import Any

from harness.lifecycles.cell import Cell, NotApplicable, Rejected
from harness.system.conditions import Conditions, facts

VERSION = "3"
"""Of the instrument: changes whenever what a figure means does, and asv tells the series apart."""

STANDS_OUT = 1.25
"""A control this many times its median over all blocks tells of a disturbance."""

STOLEN = 0.02
WAITED = 0.15
"""Parts of a block's time: stolen by the hypervisor, and in which a task waited for a processor beyond what
is usual in the blocks of the run."""


@dataclass(frozen=True)
class Block:
    """One turn of every cell: a sample of every figure."""

    seed: int
    """Of the order of the turns."""
    began: str
    samples: dict[str, dict[str, float]]
    """By cell and metric, in seconds and bytes."""
    collections: dict[str, list[list[int]]]
    """Garbage collections of a cell's last worker, by phase and generation."""
    controls: dict[str, float]
    """Seconds to the first line of a bare worker, by start method."""
    conditions: Conditions
    disturbed: str = ""
    """What was unusual; empty when nothing was."""


@dataclass
class Measured:
    """All blocks of a run, and what could not be measured."""

    release: str
    server: str
    """Its identity."""
    blocks: list[Block] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """What decides the figures and is in no name: interpreter, driver, libpq, C extensions."""
    rejected: dict[str, str] = field(default_factory=dict)
    not_applicable: dict[str, str] = field(default_factory=dict)
    wanted: int = 0
    """Undisturbed blocks that were asked for."""

    def samples(self, cell: Cell, metric: str) -> list[float]:
        """A sample a block, those of disturbed blocks only where others are too few.

        Raises `Rejected` or `NotApplicable` where there is none.
        """
        if reason := self.rejected.get(cell.id):
            raise Rejected(reason)
        if reason := self.not_applicable.get(cell.id):
            raise NotApplicable(reason)
        return [
            value
            for block in self.counted()
            if (value := block.samples.get(cell.id, {}).get(metric)) is not None
        ]

    def controls(self, method: str) -> list[float]:
        return [block.controls[method] for block in self.counted()]

    def counted(self) -> list[Block]:
        quiet = [block for block in self.blocks if not block.disturbed]
        return quiet if len(quiet) >= self.wanted else self.blocks

    @property
    def noisy(self) -> str:
        """Why these figures are worth less than others, in words; empty when they are not."""
        told = [block for block in self.counted() if block.disturbed]
        if not told:
            return ""
        return (
            f"the machine was busy with something else in {len(told)} of {len(self.counted())} blocks: "
            f"{told[0].disturbed}"
        )

    def account(self) -> dict[str, Any]:
        """Under which conditions it was measured: what is no figure of a cell."""
        return {
            "release": self.release,
            "server": self.server,
            "instrument": VERSION,
            "facts": {**self.facts, **facts()},
            "noisy": self.noisy,
            "rejected": self.rejected,
            "blocks": [
                {
                    "began": block.began,
                    "seed": block.seed,
                    "cells": len(block.samples),
                    "controls": {method: float(f"{value:.4g}") for method, value in block.controls.items()},
                    **asdict(block.conditions),
                    "disturbed": block.disturbed,
                }
                for block in self.blocks
            ],
        }


def wanted_by_others(conditions: Conditions, usual_wait: float) -> str:
    """Why the kernel says that something else wanted the processors; empty when it does not."""
    if (conditions.steal or 0) > STOLEN:
        return f"the hypervisor took {conditions.steal:.0%} of the time"
    if (conditions.pressure or 0) > usual_wait + WAITED:
        return f"tasks waited for a processor in {conditions.pressure:.0%} of the time"
    return ""


def mark(blocks: Sequence[Block]) -> list[Block]:
    """The same blocks, those that stand out among them marked with the reason."""
    usual_wait = median(waited) if (waited := [b.conditions.pressure or 0 for b in blocks]) else 0
    usual = {
        method: median(block.controls[method] for block in blocks if method in block.controls)
        for method in (blocks[0].controls if blocks else ())
    }

    def reason(block: Block) -> str:
        if wanted := wanted_by_others(block.conditions, usual_wait):
            return wanted
        for method, value in block.controls.items():
            if value > STANDS_OUT * usual[method]:
                return f"a bare {method} took {value / usual[method]:.1f} times its usual time"
        return ""

    return [replace(block, disturbed=reason(block)) for block in blocks]


def uncertainty(values: Sequence[float]) -> float:
    """About how far a median may be off, as a part of it: from the quartiles, as of a boxplot's notch."""
    if len(values) < 3:
        return float("inf")
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return float(1.57 * (high - low) / len(values) ** 0.5 / middle)
