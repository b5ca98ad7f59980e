"""The regions of pages that are written, not edited: what stands between two marks."""

import re
from dataclasses import dataclass
from pathlib import Path

from harness.system import files
from harness.system.errors import PoolstartError

MARK = re.compile(r"^<!-- .* -->$", re.MULTILINE)

END = "<!-- end -->"
"""What closes every region."""


@dataclass(frozen=True)
class Region:
    """A stretch of a page, from the line of its own mark to the next `END`."""

    begin: str
    """Its own mark, an HTML comment that names the command that writes it."""

    def read(self, page: Path) -> str:
        """What stands there."""
        text, (first, last) = self._found(page)
        return text[first:last]

    def replace(self, page: Path, content: str) -> None:
        """Put `content` there, and leave all the rest as it is.

        Raises `PoolstartError`, and changes nothing, where a mark is missing or there is one too many:
        nobody could tell what is to be replaced.
        """
        text, (first, last) = self._found(page)
        files.write(page, f"{text[:first]}{content.strip(chr(10))}\n{text[last:]}")

    def _found(self, page: Path) -> tuple[str, tuple[int, int]]:
        remedy = f"give it the lines {self.begin} and {END}, once each"
        with files.understood(page, remedy):
            text = page.read_text(encoding="utf-8")
        marks = list(MARK.finditer(text))
        told = [mark[0] for mark in marks]
        if told.count(self.begin) != 1:
            raise PoolstartError(
                f"{files.shown(page)} has the mark {self.begin} {told.count(self.begin)} times", remedy
            )
        own = told.index(self.begin)
        if told[own + 1 : own + 2] != [END]:
            raise PoolstartError(f"{files.shown(page)} has no {END} for its {self.begin}", remedy)
        if told[own + 2 : own + 3] == [END]:
            raise PoolstartError(f"{files.shown(page)} has {END} twice after {self.begin}", remedy)
        return text, (marks[own].end() + 1, marks[own + 1].start())
