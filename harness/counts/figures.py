"""The exact figures of a release, as every benchmark process reads them: nothing heavy is imported here."""

from dataclasses import dataclass

VERSION = "1"
"""Changes whenever what a figure means does: asv tells the series apart."""


@dataclass(frozen=True)
class Counted:
    """The figures of one release."""

    figures: dict[str, dict[str, int]]
    """By strategy and name."""
    rejected: dict[str, str]
    not_applicable: dict[str, str]
    """Reasons by strategy."""
