"""Find the releases at which a verdict changes: a hazard begins to affect a strategy, or stops.

All trials of a release take minutes, and most verdicts never change. So the order is that of a bisection:
first all trials of the first and the last release of each series; then, where two of these differ, only the
trials that differ, in the release in the middle, until the release that changed the verdict is found; then
all trials of the releases in between, the widest gap first. A session that is ended early leaves out releases
between two that agree.

Results are kept after each release, and a session resumes where it was interrupted, or where the record ends,
even one of another machine: verdicts do not depend on the machine. Trials without a result are repeated.
"""

import time
from collections.abc import Callable, Collection, Sequence
from itertools import count, pairwise
from math import inf
from pathlib import Path

from harness.hazards import matrix
from harness.hazards.bisection import tried
from harness.hazards.expected import series
from harness.hazards.hazard import Hazard
from harness.hazards.table import Cell
from harness.postgres.server import Server


def measure(
    releases: Sequence[str],
    hazards: Sequence[Hazard],
    strategies: Sequence[str],
    interpreter: Callable[[str], Path],
    server: Server,
    report: Callable[[str], None],
    *,
    budget: float = inf,
) -> None:
    """Run the missing trials and keep the results of each release; start none after `budget` seconds.

    `releases` are in version order.
    """
    began = time.monotonic()
    cells = [(hazard.id, strategy) for hazard in hazards for strategy in strategies]
    done: set[tuple[str, Cell]] = set()

    def try_release(release: str, missing: set[Cell]) -> None:
        left = count(len(missing) - 1, -1)
        report(f"{release}, {len(missing)} trials left")
        outcomes = matrix.measure(
            server,
            hazards,
            strategies,
            lambda _: report(f"{release}, {next(left)} trials left"),
            wanted=lambda hazard, strategy: (hazard.id, strategy) in missing,
            release=release,
            python=interpreter(release),
        )
        verdicts = tried.of_release(release)
        for outcome in outcomes:
            verdicts.setdefault(outcome.hazard, {})[outcome.strategy] = str(outcome.verdict)
        tried.keep(release, verdicts)

    while turn := next_turn(releases, cells, done):
        release, missing = turn
        if time.monotonic() - began > budget:
            return
        done |= {(release, cell) for cell in missing}
        try_release(release, missing)


def next_turn(
    releases: Sequence[str], cells: Sequence[Cell], done: Collection[tuple[str, Cell]]
) -> tuple[str, set[Cell]] | None:
    """The release to try next, and its trials to run; None if everything was tried.

    `done` holds the trials of this session, with or without a result.
    """
    known = {release: tried.results_of(release) for release in releases}

    def missing(release: str) -> set[Cell]:
        return {cell for cell in cells if cell not in known[release] and (release, cell) not in done}

    for release in ends(releases):
        if trials := missing(release):
            return release, trials
    in_the_middle: dict[str, set[Cell]] = {}
    for cell in cells:
        at = [number for number, release in enumerate(releases) if cell in known[release]]
        for first, last in pairwise(at):
            if known[releases[first]][cell] != known[releases[last]][cell]:
                between = [release for release in releases[first + 1 : last] if (release, cell) not in done]
                if between:
                    in_the_middle.setdefault(between[len(between) // 2], set()).add(cell)
    if in_the_middle:
        return max(in_the_middle.items(), key=lambda item: len(item[1]))
    whole = [number for number, release in enumerate(releases) if not missing(release)]
    gaps = [(first, last) for first, last in pairwise(whole) if last - first > 1]
    if not gaps:
        return None
    first, last = max(gaps, key=lambda gap: gap[1] - gap[0])
    release = releases[(first + last) // 2]
    return release, missing(release)


def ends(releases: Sequence[str]) -> list[str]:
    """The last and the first release of each series, the newest series first."""
    by_series: dict[str, list[str]] = {}
    for release in releases:
        by_series.setdefault(series(release), []).append(release)
    return [
        end for members in reversed(by_series.values()) for end in dict.fromkeys((members[-1], members[0]))
    ]
