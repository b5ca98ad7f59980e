"""The parameters and the lifecycles that the benchmarks of one asv run share."""

import math
import sys
from dataclasses import asdict
from typing import Any

from harness import strategies
from harness.lifecycles.blocks import VERSION, MeasuredRun
from harness.lifecycles.cell import DATAFRAMES, Cell, NotApplicable
from harness.system.errors import PoolstartError
from harness.system.structure import structure

Samples = dict[str, object] | float
"""What asv makes statistics of: a sample a parent; NaN where a cell is not applicable."""

Run = dict[str, Any]
"""What `setup_cache` returned."""


class BlockBenchmark:
    """Base of all benchmarks that read the blocks of a run.

    `version` changes whenever the measuring code changes what is measured: asv would see only the source
    of the benchmark itself.
    """

    version = VERSION

    def setup_cache(self) -> Run:
        """All blocks of this run and release: asv calls it once for every class that inherits it."""
        # What only measuring needs is not imported by those that read.
        from harness.lifecycles import plan

        return asdict(plan.of_this_run())


class CellBenchmark(BlockBenchmark):
    """Base of all benchmarks of lifecycles."""

    params = (strategies.IDS, DATAFRAMES)
    param_names = ("strategy", "dataframe")

    def samples(self, run: Run, strategy: str, dataframe: str, metric: str) -> Samples:
        """The samples of one metric; a rejected cell ends the process with its reason."""
        try:
            found = structure(MeasuredRun, run).samples(Cell(strategy, dataframe), metric)
        except NotApplicable:
            return math.nan
        except PoolstartError as error:
            sys.exit(f"poolstart: {error}")
        # POOLSTART_STRATEGIES may have left it out.
        return {"samples": found, "number": 1} if found else math.nan
