"""The time until a worker runs, until it has its first row, and until it has exited."""

from benchmarks.cells import CellBenchmark, with_metrics


@with_metrics
class Startup(CellBenchmark):
    """Times that the parent sees, of all its workers but the first unless the metric says otherwise."""
