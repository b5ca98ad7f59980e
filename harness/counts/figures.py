"""The counts of a release, as every benchmark process reads them: nothing heavy is imported here."""

from dataclasses import dataclass

VERSION = "1"
"""Changes whenever a count changes its meaning: asv then begins a new series."""


@dataclass(frozen=True)
class RunCounts:
    """The counts of one release, by strategy, or the reason why there are none."""

    figures: dict[str, dict[str, int]]
    """By strategy and id (`harness.counts.registry`)."""
    rejected: dict[str, str]
    not_applicable: dict[str, str]
