"""A finding, and how certain it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Certainty(StrEnum):
    """How certain a finding is, the most certain first."""

    CERTAIN = "certain"
    """It was observed."""
    PROVEN = "proven"
    """There is no other explanation."""
    RISK = "risk"
    """The conditions were present, or it is likely."""
    FACT = "fact"
    """A configuration, or a figure."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a program, or may be."""

    hazard: str
    """The hazard in the catalogue."""
    certainty: Certainty
    sentence: str
    evidence: tuple[str, ...]
    fix: str
    """Lines for the program."""
    consequence: str
    """What happens if nothing is done."""
    processes: tuple[int, ...] = ()
    """The users of a connection, and last the process that opened it; 0 if that is not known."""

    @property
    def sure(self) -> bool:
        return self.certainty in (Certainty.CERTAIN, Certainty.PROVEN)


def count(findings: Iterable[Finding], strict: bool) -> int:
    """Findings that count for the exit status: certain and proven ones, and `strict` risks, too."""
    return sum(each.sure or (strict and each.certainty is Certainty.RISK) for each in findings)
