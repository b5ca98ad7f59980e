"""The memory of a worker after its second row, while it waits for its parent."""

from benchmarks.cells import CellBenchmark, with_metrics


@with_metrics
class Memory(CellBenchmark):
    """The kernel's figures for one worker, whose parent is running (`harness.system.memory`)."""
