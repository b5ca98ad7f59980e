"""The cost of bare start methods, measured in the same blocks as the lifecycles."""

from benchmarks.cells import BlockBenchmark, Run, Samples
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.inside.control import METHODS
from harness.system.structure import structure


class Controls(BlockBenchmark):
    """Workers of the same interpreter without SQLAlchemy, engine and DataFrame.

    No release of SQLAlchemy can change them: if they change, the machine did.
    """

    params = (METHODS,)
    param_names = ("start_method",)
    unit = "seconds"

    def track_start(self, run: Run, start_method: str) -> Samples:
        """From Process.start() to the first line of a worker that does nothing."""
        return {"samples": structure(MeasuredRun, run).controls(start_method), "number": 1}
