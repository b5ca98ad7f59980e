"""The type of a look-alike, which a file in `all/` declares."""

from dataclasses import dataclass

from harness.fixes import Fix


@dataclass(frozen=True)
class Lookalike:
    """A problem that has the messages of a hazard but another cause."""

    id: str
    """Stable, lower case, the name of its file."""
    title: str
    heading: str
    """The message or symptom, as people search for it."""
    look_at: str
    """The observation that distinguishes it from the hazards: a clause that follows `If`."""
    description: str
    """What happens and why, in plain words."""
    avoidance: str
    """What to do."""
    fixes: tuple[Fix, ...]
    """The code of `avoidance`."""
    first: tuple[str, ...]
    """Messages that only it has, verbatim, without the parts that vary."""
    also: tuple[str, ...]
    """Messages that hazards have too."""
    words: tuple[str, ...]
    """Names and terms that people use for it."""
    links: tuple[str, ...]
    """Documentation and public threads."""

    @property
    def messages(self) -> tuple[str, ...]:
        """All its messages."""
        return self.first + self.also
