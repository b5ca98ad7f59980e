"""The sensitivity record: the runs of one release (A/A), and the results of injected changes.

Field names are the keys of records/sensitivity.json.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.lifecycles import metrics
from harness.lifecycles.blocks import VERSION, MeasuredRun
from harness.lifecycles.cell import Cell
from harness.lifecycles.metrics import Table
from harness.records import store
from harness.records.provenance import Provenance
from harness.system.structure import structure

RECORD, LOADED = store.path("sensitivity"), store.path("sensitivity_loaded")
"""The second was measured while another process kept a core busy."""


@dataclass(frozen=True)
class RepeatedFigure:
    """One metric of one cell, measured in every run."""

    metric: str
    strategy: str
    dataframe: str
    runs: list[list[float]]
    """The samples of each run, one a parent, in seconds or bytes."""


@dataclass(frozen=True)
class InjectionResult:
    """One comparison of the release with itself plus an injected change."""

    seed: str
    """The id of the injected change."""
    found: list[str]
    """Expected and reported: `metric strategy`, or `rejected strategy`."""
    missed: list[str]
    """Expected and not reported."""
    unexpected: list[str]
    """Reported, though neither expected nor allowed."""
    sizes: dict[str, float]
    """The measured ratio of everything that was expected or reported."""
    pairs: int = 0
    """Pairs of parents of what was expected; 0 where it was counted."""


@dataclass
class SensitivityRecord:
    """All runs of one release, and the injected changes that were measured with it."""

    provenance: Provenance
    """Of the runs."""
    instrument: str
    facts: dict[str, object]
    seconds: float
    disturbed: list[int]
    """Of each run, the blocks that were marked as disturbed."""
    figures: list[RepeatedFigure]
    repetitions: list[InjectionResult]
    loaded: bool = False
    """Whether another process kept a core busy for random tenths of the time."""
    injected: Provenance = field(default_factory=Provenance)
    """Of the injected changes that were measured last."""
    pairs: int = 0
    """The least number of pairs of parents in each of these."""

    @classmethod
    def of(
        cls, runs: Sequence[MeasuredRun], cells: Sequence[Cell], provenance: Provenance, seconds: float
    ) -> "SensitivityRecord":
        """The record of A/A runs, without cells that were rejected in one, or are not applicable."""
        complete = [
            cell
            for cell in cells
            if all(cell.id not in {**run.rejected, **run.not_applicable} for run in runs)
        ]
        figures = [
            RepeatedFigure(metric.id, cell.strategy, cell.dataframe, samples)
            for metric in metrics.shown_in(Table.SENSITIVITY)
            for cell in complete
            if all(samples := [run.samples(cell, metric.id) for run in runs])
        ]
        return cls(
            provenance,
            VERSION,
            runs[0].facts,
            round(seconds),
            [sum(bool(block.noise) for block in run.blocks) for run in runs],
            figures,
            repetitions=[],
        )

    def save(self, path: Path) -> None:
        """Replace the record, figures rounded to six digits. Raises `PoolstartError` if it cannot."""
        rounded = json.loads(json.dumps(asdict(self)), parse_float=lambda text: float(f"{float(text):.6g}"))
        store.write(path, rounded)

    @classmethod
    def load(cls, path: Path) -> "SensitivityRecord":
        """Read a record. Raises `PoolstartError` if it is missing or damaged."""
        with store.reading(path, "poolstart record sensitivity") as fields:
            return structure(cls, fields)
