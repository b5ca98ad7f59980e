"""Batches: every metric reads the same lifecycles once, and a failure is told to all of them."""

from pathlib import Path

import pytest

from harness.outside import batches
from harness.outside.batches import Batches
from harness.outside.cell import Cell, NotApplicable, Rejected
from harness.outside.samples import Lifecycle

CELL = Cell("spawn", "none")


def life(number: int) -> Lifecycle:
    return Lifecycle(True, 0, number, 0, 0, number, 0, 0, 0, 0, 0)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """What was measured; the n-th measurement finds n everywhere."""
    cells: list[Cell] = []

    def measure(cell: Cell) -> list[Lifecycle]:
        cells.append(cell)
        return [life(len(cells))]

    monkeypatch.setattr(batches, "measure_here", measure)
    return cells


def test_metrics_share_the_lifecycles_of_a_batch(tmp_path: Path, measured: list[Cell]) -> None:
    assert Batches(tmp_path).read(CELL, "startup") == [1]
    # As asv does it: another process, the same directory.
    assert Batches(tmp_path).read(CELL, "second_query") == [1]
    assert measured == [CELL]


def test_no_metric_sees_a_sample_twice(tmp_path: Path, measured: list[Cell]) -> None:
    rounds = [Batches(tmp_path).read(CELL, "startup") for _ in range(3)]
    assert rounds == [[1], [2], [3]]
    assert Batches(tmp_path).read(CELL, "second_query") == [1]


def test_cells_are_kept_apart(tmp_path: Path, measured: list[Cell]) -> None:
    other = Cell("spawn", "large")
    assert Batches(tmp_path).read(CELL, "startup") == [1]
    assert Batches(tmp_path).read(other, "startup") == [2]
    assert measured == [CELL, other]


@pytest.mark.parametrize("kind", [Rejected, NotApplicable])
def test_a_batch_without_figures_says_why_to_every_metric_and_is_tried_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    tries = []

    def fail(cell: Cell) -> list[Lifecycle]:
        tries.append(cell)
        raise kind("the worker hung")

    monkeypatch.setattr(batches, "measure_here", fail)
    for metric in ("startup", "uss"):
        with pytest.raises(kind, match="the worker hung"):
            Batches(tmp_path).read(CELL, metric)
    assert tries == [CELL]
