"""Pools are recorded strategy by strategy: each row states its own provenance."""

from dataclasses import replace

from harness import strategies
from harness.pools.figures import PoolFigures, PoolsTable
from harness.pools.recorder import merge
from harness.records.provenance import Provenance

BEFORE, AFTER = Provenance("2.1.9", "2026-11-25"), Provenance("2.1.9", "2026-11-28")


def table(provenance: Provenance, *names: str, seconds: float = 0.1) -> PoolsTable:
    cells = tuple(PoolFigures(name, workers, (seconds,)) for name in names for workers in (2, 8))
    return PoolsTable(provenance, 3, 4, cells, ())


def test_a_strategy_that_is_measured_later_has_its_own_provenance() -> None:
    merged = merge(table(BEFORE, *strategies.IDS), table(AFTER, "spawn", seconds=0.2))
    assert (merged.provenance, merged.later) == (BEFORE, {"spawn": AFTER})
    assert [cell.strategy for cell in merged.cells[::2]] == list(strategies.IDS)
    assert {cell.strategy for cell in merged.cells if cell.first == (0.2,)} == {"spawn"}


def test_a_whole_table_replaces_the_one_on_record() -> None:
    whole = table(AFTER, *strategies.IDS)
    assert merge(table(BEFORE, *strategies.IDS), whole) == whole
    assert merge(None, whole) == whole


def test_a_row_that_is_measured_once_more_has_the_last_provenance() -> None:
    third = replace(AFTER, date="2026-12-01")
    once = merge(table(BEFORE, *strategies.IDS), table(AFTER, "spawn", "nullpool"))
    twice = merge(once, table(third, "spawn"))
    assert twice.later == {"spawn": third, "nullpool": AFTER}
