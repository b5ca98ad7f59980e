"""Hazards: the verdict of each under every strategy, and the figures that hazards measure besides.

A hazard's figures come from the same trial as its verdict.
"""

import math
import sys
from typing import Any

from harness import strategies
from harness.hazards import asv_run, catalogue
from harness.hazards.hazard import Verdict

Run = dict[str, Any]
"""The value of `setup_cache`: outcomes as JSON, by hazard and strategy."""

HAZARD_OF = {figure.id: hazard.id for hazard in catalogue.followed() for figure in hazard.figures}


def figures_in(unit: str) -> tuple[str, ...]:
    """The ids of all figures of one unit."""
    return tuple(
        figure.id for hazard in catalogue.followed() for figure in hazard.figures if figure.unit == unit
    )


class Hazards:
    """Base of all benchmarks of hazards.

    `version` must change whenever a reproduction's verdicts or figures do: asv sees only the source of the
    benchmark itself.
    """

    version = "4"

    def setup_cache(self) -> Run:
        """Run all trials of this release: asv calls it once for each class that inherits it."""
        return asv_run.of_this_run()

    def reading(self, run: Run, figure: str, strategy: str) -> float:
        """The value of a figure in its unit; NaN if the outcome has none."""
        outcome = asv_run.read(run, HAZARD_OF[figure], strategy)
        reading = outcome.readings.get(figure) if outcome else None
        return reading.value if reading else math.nan


class Verdicts(Hazards):
    """0 survives, 1 affected: a change from 0 to 1 between two releases is a regression."""

    params = (tuple(hazard.id for hazard in catalogue.followed()), strategies.IDS)
    param_names = ("hazard", "strategy")
    unit = "struck"

    def track_verdict(self, run: Run, hazard: str, strategy: str) -> float:
        outcome = asv_run.read(run, hazard, strategy)
        if outcome is None:
            return math.nan
        if outcome.verdict is Verdict.NO_RESULT:
            sys.exit(f"poolstart: {outcome.reason}")
        return outcome.verdict.value_in_results


class Rates(Hazards):
    """How often a hazard occurs when nothing forces it: a fraction of the trials."""

    params = (figures_in("fraction"), strategies.IDS)
    param_names = ("figure", "strategy")
    unit = "fraction"

    def track_rate(self, run: Run, figure: str, strategy: str) -> float:
        return self.reading(run, figure, strategy)


class Memory(Hazards):
    """Private memory of a worker, in bytes."""

    params = (figures_in("bytes"), strategies.IDS)
    param_names = ("figure", "strategy")
    unit = "bytes"

    def track_private(self, run: Run, figure: str, strategy: str) -> float:
        return self.reading(run, figure, strategy)


class Times(Hazards):
    """Durations, in seconds."""

    params = (figures_in("seconds"), strategies.IDS)
    param_names = ("figure", "strategy")
    unit = "seconds"

    def track_time(self, run: Run, figure: str, strategy: str) -> float:
        return self.reading(run, figure, strategy)


class Descriptors(Hazards):
    """File descriptors of the parent's pool that each worker holds open."""

    params = (figures_in("descriptors"), strategies.IDS)
    param_names = ("figure", "strategy")
    unit = "descriptors"

    def track_descriptors(self, run: Run, figure: str, strategy: str) -> float:
        return self.reading(run, figure, strategy)
