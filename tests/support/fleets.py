"""A table of fleets whose figures lie on lines."""

from harness.fleets.figures import FleetFigures, FleetsTable
from harness.records.provenance import Provenance
from harness.system.memory import MIB


def fleet(strategy: str, mib: int, workers: int, last: float, memory: int) -> FleetFigures:
    return FleetFigures(
        strategy,
        mib,
        workers,
        first=(last / 2,) * 3,
        last=(last,) * 3,
        blocked=(last,) * 3,
        cpu=(last,) * 3,
        pss={"first_row": (memory * MIB,) * 3, "collect": (2 * memory * MIB,) * 3},
        page_tables={"first_row": (0,) * 3, "collect": (0,) * 3},
    )


TABLE = FleetsTable(
    Provenance(release="2.1.9"),
    (
        *(fleet("fork_dispose", 0, n, 0.1 + 0.02 * n, 50 + 4 * n) for n in (1, 4, 16)),
        *(fleet("fork_dispose", 512, n, 0.1 + 0.04 * n, 562 + 4 * n) for n in (1, 4, 16)),
        *(fleet("spawn", 0, n, 0.1 + 0.02 * n, 50 + 4 * n) for n in (1, 4, 16)),
        *(fleet("nullpool", 0, n, 0.1 + 0.02 * n, 50 + 4 * n) for n in (1, 4, 16)),
        *(fleet("nullpool", 512, n, 0.1 + 0.02 * n, 562 + 4 * n) for n in (1, 4, 16)),
    ),
    {"fork_dispose": 5, "spawn": 14, "nullpool": 5},
)
