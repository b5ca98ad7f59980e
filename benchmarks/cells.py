"""Base classes of the benchmarks that read the lifecycles of one asv run."""

import math
import sys
from dataclasses import asdict
from typing import Any

from harness import strategies
from harness.lifecycles.blocks import VERSION, MeasuredRun
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.processes.errors import NotApplicable
from harness.system.errors import PoolstartError
from harness.system.structure import structure

Samples = dict[str, object] | float
"""One sample per parent, in the form that asv computes statistics of; NaN if the cell is not applicable."""

Run = dict[str, Any]
"""What `setup_cache` returned: a `MeasuredRun` as JSON."""


class BlockBenchmark:
    """Base of all benchmarks that read the blocks of a run.

    `version` is explicit, because asv would derive it from the source of the benchmark alone, and not from
    the code that measures.
    """

    version = VERSION

    def setup_cache(self) -> Run:
        """All blocks of this run and release. asv calls it once for all classes that inherit it."""
        # Imported here, because processes that only read the samples do not need it.
        from harness.lifecycles import asv_run

        return asdict(asv_run.of_this_run())


class CellBenchmark(BlockBenchmark):
    """Base of all benchmarks of lifecycles: one metric of `harness.lifecycles.metrics` per method."""

    params = (strategies.IDS, DATAFRAMES)
    param_names = ("strategy", "dataframe")

    def samples(self, run: Run, strategy: str, dataframe: str, metric: str) -> Samples:
        """The samples of one metric of one cell. Exits with the reason if the cell was rejected."""
        try:
            found = structure(MeasuredRun, run).samples(Cell(strategy, dataframe), metric)
        except NotApplicable:
            return math.nan
        except PoolstartError as error:
            sys.exit(f"poolstart: {error}")
        # POOLSTART_STRATEGIES may exclude the strategy.
        return {"samples": found, "number": 1} if found else math.nan
