"""Outcomes: what lets many asv benchmarks read the same trials.

asv imports this module in every benchmark process, hundreds of times a run, and most of them read a
file: what trials need is imported where one is run.
"""

import json
import time
from pathlib import Path

from harness.hazards import catalogue
from harness.hazards.hazard import Outcome
from harness.system import clock


class Outcomes:
    """The outcomes of one asv run, one release and one environment, kept as files in `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, hazard: str, strategy: str) -> Outcome:
        """The outcome of a trial; the first to ask for it runs it. Raises `PoolstartError` without one."""
        path = self._directory / f"{hazard}.{strategy}.hazard.json".replace(":", "_")
        if path.exists():
            return Outcome.from_json(json.loads(path.read_text()))
        from harness.outside.trials import Trials
        from harness.postgres import locate

        began = time.monotonic()
        with locate.server() as server, Trials(server) as trials:
            outcome = trials.run(catalogue.load(hazard), strategy)
        clock.record("hazards", time.monotonic() - began)
        path.write_text(json.dumps(outcome.to_json()))
        return outcome
