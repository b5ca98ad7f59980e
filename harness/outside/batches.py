"""Batches: what lets many asv benchmarks read the same lifecycles.

Starting workers is the expensive part. The first benchmark that needs a cell measures it, and the others
read the same lifecycles: the n-th reading of a metric uses the n-th batch of its cell, so a metric never
sees one sample twice, however many rounds asv makes.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.outside.cell import Cell, NotApplicable, Rejected
from harness.outside.samples import Lifecycle, samples
from harness.system.errors import PoolstartError


class Batches:
    """The batches of one asv run, one release and one environment, kept as files in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, cell: Cell, metric: str) -> list[float]:
        """The samples of the next batch; measured now if nobody has read that batch yet.

        Raises `Rejected` or `NotApplicable`, and raises it again for every metric of that batch.
        """
        batch = self._batch(cell, self._next_reading(cell, metric))
        if "rejected" in batch:
            raise Rejected(batch["rejected"])
        if "not applicable" in batch:
            raise NotApplicable(batch["not applicable"])
        return samples((Lifecycle(**life) for life in batch["lifecycles"]), metric)

    def _next_reading(self, cell: Cell, metric: str) -> int:
        path = self._directory / f"{_file_name(cell)}.{metric}.readings"
        number = int(path.read_text()) if path.exists() else 0
        path.write_text(str(number + 1))
        return number

    def _batch(self, cell: Cell, number: int) -> dict[str, Any]:
        path = self._directory / f"{_file_name(cell)}.{number}.json"
        if path.exists():
            found: dict[str, Any] = json.loads(path.read_text())
            return found
        batch: dict[str, Any]
        try:
            batch = {"lifecycles": [asdict(life) for life in measure_here(cell)]}
        except NotApplicable as reason:
            batch = {"not applicable": str(reason)}
        except PoolstartError as error:
            batch = {"rejected": str(error)}
        path.write_text(json.dumps(batch))
        return batch


def measure_here(cell: Cell) -> list[Lifecycle]:
    """Measure a cell on the server and with the profile of this process's environment."""
    # Most benchmark processes only read; these imports take longer than reading does.
    from harness.outside import profile
    from harness.outside.supervisor import measure
    from harness.postgres import locate

    asked = profile.current()
    if cell.strategy not in asked.strategies:
        raise NotApplicable(f"only {', '.join(asked.strategies)} were asked for")
    with locate.server() as server:
        return measure(cell, server, asked)


def _file_name(cell: Cell) -> str:
    return f"{cell.strategy}.{cell.dataframe}".replace(":", "_")
