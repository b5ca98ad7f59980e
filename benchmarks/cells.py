"""Base classes of the benchmarks that read the lifecycles of one asv run."""

import math
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from harness import strategies
from harness.lifecycles import metrics
from harness.lifecycles.blocks import VERSION, MeasuredRun
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.lifecycles.metrics import Metric
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
    """Base of all benchmarks of lifecycles, one metric a method."""

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


def with_metrics(kind: type[CellBenchmark]) -> type[CellBenchmark]:
    """Give a class a `track_` method for each metric of its group (`harness.lifecycles.metrics`)."""
    group = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
    for metric in metrics.METRICS.values():
        if metric.group == group:
            setattr(kind, f"track_{metric.id}", of_metric(metric))
    return kind


def of_metric(metric: Metric) -> Callable[..., Samples]:
    """The method that asv calls for a metric: its name, unit and docstring are what asv stores."""

    def track(self: CellBenchmark, run: Run, strategy: str, dataframe: str) -> Samples:
        return self.samples(run, strategy, dataframe, metric.id)

    track.__doc__ = metric.meaning
    track.unit = metric.unit  # type: ignore[attr-defined]
    return track
