"""A measured run whose figures are made up, for tests of what is reported about one."""

from collections.abc import Sequence

from harness import strategies
from harness.lifecycles import metrics
from harness.lifecycles.blocks import Block, MeasuredRun
from harness.lifecycles.cell import Cell
from harness.system.conditions import Conditions
from harness.system.memory import MIB


def measured_run(
    steal: float = 0.0,
    names: Sequence[str] = strategies.IDS,
    settings: Sequence[str] = ("none",),
    reason: str = "",
) -> MeasuredRun:
    """Three blocks of these strategies, with figures as large as they get.

    `steal` is the hypervisor's part of the time, `reason` why fork_nodispose cannot be measured.
    """
    cells = [(place, Cell(name, setting)) for setting in settings for place, name in enumerate(names, 1)]
    excluded = {cell.id: reason for _, cell in cells if reason and cell.strategy == "fork_nodispose"}
    conditions = Conditions(seconds=12, pressure=0.1, steal=steal, load=1.4)
    blocks = [
        Block(
            seed=number,
            began="2026-01-01T00:00:00+00:00",
            samples={
                cell.id: {
                    metric: place * (1 + number / 10) * (100 * MIB if about.unit == "bytes" else 0.2)
                    for metric, about in metrics.METRICS.items()
                }
                for place, cell in cells
                if cell.id not in excluded
            },
            collections={},
            controls={"spawn": 0.03},
            conditions=conditions,
        )
        for number in range(3)
    ]
    facts = {"python": "3.12.4 (main) [GCC]"}
    server = "embedded-18.4-tcp-trust"
    return MeasuredRun("2.1.9", server, blocks, facts, not_applicable=excluded, running=0.0)
