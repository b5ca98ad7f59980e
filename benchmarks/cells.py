"""The parameters and the lifecycles that the benchmarks of one asv run share."""

import math
import sys
from pathlib import Path

from harness import strategies
from harness.outside.batches import Batches
from harness.outside.cell import DATAFRAMES, Cell, NotApplicable
from harness.system.errors import PoolstartError

Samples = dict[str, object] | float
"""What asv makes statistics of; NaN where a cell is not applicable."""


class Cells:
    """Base of all benchmarks of lifecycles.

    `version` changes whenever the measuring code changes what is measured: asv would see only the source
    of the benchmark itself.
    """

    params = (strategies.IDS, DATAFRAMES)
    param_names = ("strategy", "dataframe")
    version = "1"

    def setup_cache(self) -> str:
        """asv's working directory of this run, environment and release: the place of the batches."""
        return str(Path.cwd())

    def samples(self, place: str, strategy: str, dataframe: str, metric: str) -> Samples:
        """The samples of one metric; a rejected cell ends the process with its reason."""
        batches = Batches(Path(place))
        try:
            return {"samples": batches.read(Cell(strategy, dataframe), metric), "number": 1}
        except NotApplicable as reason:
            print(f"poolstart: n/a: {reason}", file=sys.stderr)
            return math.nan
        except PoolstartError as error:
            sys.exit(f"poolstart: {error}")
