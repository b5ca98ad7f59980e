"""Cells: each is a strategy with one DataFrame setting."""

from dataclasses import dataclass

from harness.lifecycles.profile import Profile

DATAFRAMES = ("none", "large")
"""Whether the parent holds a DataFrame."""


@dataclass(frozen=True)
class Cell:
    """One strategy with one DataFrame setting."""

    strategy: str
    dataframe: str

    @property
    def id(self) -> str:
        """Its name in files."""
        return f"{self.strategy}.{self.dataframe}"

    def __str__(self) -> str:
        return f"{self.strategy}, dataframe {self.dataframe}"

    def size(self, profile: Profile) -> int:
        """The DataFrame's size in MiB."""
        return profile.dataframe_mib if self.dataframe == "large" else 0


def cells_of(profile: Profile) -> list[Cell]:
    """All cells of the profile's strategies."""
    return [Cell(strategy, dataframe) for dataframe in DATAFRAMES for strategy in profile.strategies]
