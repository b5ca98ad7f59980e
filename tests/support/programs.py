"""The three programs that measure, as users start them, each as small as it can be."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.remains import InTerminal, Scene

PROGRAMS = ("asv run", "measure", "hazards")


def without_figures(line: str) -> str:
    return re.sub(r"[\d.]+", "#", line)


@dataclass(frozen=True)
class Program:
    """One of them, with the time it takes and what it prints when nothing disturbs it."""

    command: tuple[str | Path, ...]
    directory: Path
    environment: dict[str, str]
    seconds: float = 0.0
    output: str = ""

    def is_complete(self, output: str) -> bool:
        """Whether its last line is the one of an undisturbed run, figures aside."""
        last = [without_figures(text.splitlines()[-1]) for text in (output, self.output) if text]
        return len(last) == 2 and last[0] == last[1]

    def start_in_terminal(self, here: Scene) -> InTerminal:
        here.environment.update(self.environment)
        return here.start_in_terminal(*self.command, cwd=self.directory)

    def start(self, here: Scene) -> "subprocess.Popen[str]":
        here.environment.update(self.environment)
        return here.start(
            *self.command,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
