"""Progress on standard error: beside a spinner in a terminal, as lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console

from harness.console import display
from harness.console.numbers import duration

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """Shows the current step; call it with the description of each step as it begins."""

    show: Callable[[str], None]
    prefix: str = ""

    def __call__(self, step: str) -> None:
        self.show(f"{self.prefix}{step}")

    def within(self, task: str) -> "Progress":
        """A progress for a part of the work, which puts its name before each step: `run 1 of 3: spawn`."""
        return Progress(self.show, f"{self.prefix}{task}: ")

    def each(self, items: Sequence[T], name: Callable[[T], str]) -> Iterator[tuple[T, "Progress"]]:
        """The items, each with a progress that shows its name, its number, and the estimated time left."""
        pace = Pace()
        for number, item in enumerate(items, 1):
            left = pace.left(len(items) - number + 1)
            task = f"{name(item)}, {number} of {len(items)}{left and f', {left} left'}"
            self(task)
            yield item, self.within(task)
            pace.step()


class Pace:
    """Estimates the time left from the mean duration of the steps so far."""

    def __init__(self, seconds: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is how long a step is expected to take, until one has been timed; 0 if unknown."""
        self._seconds, self._clock = seconds, clock
        self._began, self._steps = clock(), 0

    def step(self) -> None:
        """Note that a step has ended."""
        self._steps += 1
        self._seconds = (self._clock() - self._began) / self._steps

    def left(self, steps: int) -> str:
        """The time that this number of steps will take, as `12 min`; empty while it is unknown."""
        return duration(steps * self._seconds) if self._seconds else ""


@contextmanager
def progress(first: str) -> Iterator[Progress]:
    """A progress that shows `first` until it is called."""
    with display.console() as console:
        if console.is_terminal:
            with console.status(first) as status:
                yield Progress(status.update)
        else:
            yield Progress(_lines(console))


def _lines(console: Console) -> Callable[[str], None]:
    """A function that prints each step as a line, unless it is the same as the last."""
    last = ""

    def show(step: str) -> None:
        nonlocal last
        if step != last:
            console.print(step, soft_wrap=True)
        last = step

    return show
