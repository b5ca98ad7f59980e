"""The CPU time of a worker, which waiting for a processor or the server does not lengthen."""

from benchmarks.cells import CellBenchmark, with_metrics


@with_metrics
class Cpu(CellBenchmark):
    """CPU times of the worker's process, and of its parent in `Process.start()`, user and kernel."""
