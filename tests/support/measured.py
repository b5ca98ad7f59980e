"""A measured run whose figures are made up, for tests of what is reported about one."""

from harness import strategies
from harness.lifecycles import metrics
from harness.lifecycles.blocks import Block, MeasuredRun
from harness.lifecycles.cell import Cell
from harness.system.conditions import Conditions


def measured_run(steal: float = 0.0) -> MeasuredRun:
    """Three blocks of every strategy without a DataFrame; `steal` is the hypervisor's part of the time."""
    conditions = Conditions(seconds=12, pressure=0.1, steal=steal, load=1.4)
    blocks = [
        Block(
            seed=number,
            began="2026-01-01T00:00:00+00:00",
            samples={
                Cell(name, "none").id: {
                    metric: (place + 1) * (1 + number / 1000) * (2**20 if about.unit == "bytes" else 0.01)
                    for metric, about in metrics.METRICS.items()
                }
                for place, name in enumerate(strategies.IDS)
            },
            collections={},
            controls={"spawn": 0.03},
            conditions=conditions,
        )
        for number in range(3)
    ]
    facts = {"python": "3.12.4 (main) [GCC]"}
    return MeasuredRun("2.1.9", "embedded-18.4-tcp-trust", blocks, facts, running=0.0)
