"""Run demos many times, and count how often each ends as expected and prints the same story."""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from harness.demos import runner
from harness.demos.catalogue import Demo
from harness.demos.runner import DemoRun
from harness.hazards.inside.story import StoryEvent
from harness.postgres.server import Server

JOBS = 2
"""Runs at a time; the results do not depend on it."""


@dataclass(frozen=True)
class DemoRepetition:
    """How often one program ended as expected, and printed the story it always prints."""

    demo: Demo
    start_method: str
    cured: bool
    runs: int
    as_expected: int
    same_story: int

    @property
    def surprising(self) -> bool:
        return self.as_expected < self.runs or self.same_story < self.runs


def repeat(
    demos: Sequence[Demo],
    start_methods: Sequence[str],
    runs: int,
    server: Server,
    python: str | Path = sys.executable,
) -> Iterator[DemoRepetition]:
    """Run each demo `runs` times by each start method, as it stands and cured, `JOBS` at a time."""
    with ThreadPoolExecutor(JOBS) as threads:
        for demo, method, cured in product(demos, start_methods, (False, True)):
            once = partial(runner.run, demo, method, cured, server, python=python)
            futures = [threads.submit(once) for _ in range(runs)]
            try:
                results = [future.result() for future in futures]
            finally:
                for future in futures:
                    future.cancel()
            stories = Counter((result.end, gist(result)) for result in results)
            as_expected = sum(result.end is demo.expected(method, cured) for result in results)
            yield DemoRepetition(demo, method, cured, runs, as_expected, max(stories.values()))


def gist(run: DemoRun) -> tuple[StoryEvent, ...]:
    """The story without numbers, the order of its lines, and their repetitions, which differ between runs."""
    lines = {StoryEvent(event.who, re.sub(r"\d+", "N", event.what)) for event in run.story}
    return tuple(sorted(lines, key=lambda event: (event.who, event.what)))
