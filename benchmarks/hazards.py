"""What goes wrong: the verdict of every hazard on every strategy, and what hazards measure beside it.

The figures of a hazard come from the trial that gives its verdict.
"""

import math
import sys
from pathlib import Path

from harness import strategies
from harness.hazards import catalogue
from harness.hazards.hazard import Outcome
from harness.outside.outcomes import Outcomes
from harness.system.errors import PoolstartError

HAZARD_OF = {figure.id: hazard.id for hazard in catalogue.load_all() for figure in hazard.figures}


def figures_in(unit: str) -> tuple[str, ...]:
    """The ids of all figures of one unit."""
    return tuple(
        figure.id for hazard in catalogue.load_all() for figure in hazard.figures if figure.unit == unit
    )


class Hazards:
    """Base of all benchmarks of hazards.

    `version` changes whenever a reproduction changes what it finds: asv would see only the source of the
    benchmark itself.
    """

    version = "2"

    def setup_cache(self) -> str:
        """asv's working directory of this run, environment and release: the place of the outcomes."""
        return str(Path.cwd())

    def outcome(self, place: str, hazard: str, strategy: str) -> Outcome:
        try:
            outcome = Outcomes(Path(place)).read(hazard, strategy)
        except PoolstartError as error:
            sys.exit(f"poolstart: {error}")
        if outcome.reason:
            print(f"poolstart: n/a: {outcome.reason}", file=sys.stderr)
        return outcome

    def reading(self, place: str, figure: str, strategy: str) -> float:
        """The value of a figure; not a number where the strategy has no such figure."""
        reading = self.outcome(place, HAZARD_OF[figure], strategy).readings.get(figure)
        return reading.value if reading else math.nan


class Verdicts(Hazards):
    """0 survives, 1 struck: a strategy that becomes struck from one release to the next is a regression."""

    params = (catalogue.IDS, strategies.IDS)
    param_names = ("hazard", "strategy")
    unit = "struck"

    def track_verdict(self, place: str, hazard: str, strategy: str) -> float:
        return self.outcome(place, hazard, strategy).verdict.value_in_results


class Rates(Hazards):
    """How often it happens where nothing forces it: a fraction of the trials."""

    params = (figures_in("fraction"), strategies.IDS)
    param_names = ("figure", "strategy")
    unit = "fraction"

    def track_rate(self, place: str, figure: str, strategy: str) -> float:
        return self.reading(place, figure, strategy)


class Memory(Hazards):
    """What a worker comes to hold for itself."""

    params = (figures_in("bytes"), strategies.IDS)
    param_names = ("figure", "strategy")
    unit = "bytes"

    def track_private(self, place: str, figure: str, strategy: str) -> float:
        return self.reading(place, figure, strategy)


class Times(Hazards):
    """How long it takes, or lasts."""

    params = (figures_in("seconds"), strategies.IDS)
    param_names = ("figure", "strategy")
    unit = "seconds"

    def track_time(self, place: str, figure: str, strategy: str) -> float:
        return self.reading(place, figure, strategy)


class Descriptors(Hazards):
    """What of the parent's pool every worker holds open."""

    params = (figures_in("descriptors"), strategies.IDS)
    param_names = ("figure", "strategy")
    unit = "descriptors"

    def track_descriptors(self, place: str, figure: str, strategy: str) -> float:
        return self.reading(place, figure, strategy)
