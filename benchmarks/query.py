"""The time that queries take in a worker that has just started."""

from benchmarks.cells import CellBenchmark, with_metrics


@with_metrics
class Query(CellBenchmark):
    """Times within the worker, from the first line of its function on."""
