"""What start methods cost by themselves, measured in the same blocks as everything else."""

from benchmarks.cells import BlockBenchmark, Run, Samples
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.inside.control import METHODS
from harness.system.structure import structure


class Controls(BlockBenchmark):
    """Workers of the same interpreter without SQLAlchemy, engine and DataFrame.

    No release of SQLAlchemy can move them: where they move, the machine did.
    """

    params = (METHODS,)
    param_names = ("start_method",)
    unit = "seconds"

    def track_start(self, run: Run, start_method: str) -> Samples:
        """`Process.start()` called -> first line of a worker that does nothing."""
        return {"samples": structure(MeasuredRun, run).controls(start_method), "number": 1}
