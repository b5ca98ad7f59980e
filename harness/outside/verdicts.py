"""Verdicts of many releases: each hazard tried against each strategy, once a release.

What a trial came to is kept as soon as a release's trials are done, so that a sitting goes on where it was
interrupted; trials that came to no result are tried again. Releases come in an order that soon tells the
most: the newest and the oldest, then the middle of two that differ, then of two that are far apart. So a
sitting that is ended early has found where verdicts change, and what it has not tried lies between two that
agree. The record says, of each hazard and strategy, from which release on the verdict is which.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.outside import table
from harness.outside.record import Setting
from harness.postgres.server import Server
from harness.system import files
from harness.system.environment import ROOT

RECORD = ROOT / "docs" / "verdicts.json"

DIRECTORY = ROOT / ".asv" / "verdicts"
"""Where a sitting keeps what it has tried, a file a release."""

Changes = list[tuple[str, str]]
"""The releases from which on the verdict is another one, the first of all included."""


@dataclass(frozen=True)
class Verdicts:
    """What is on record."""

    releases: tuple[str, ...]
    """In version order."""
    verdicts: dict[str, dict[str, Changes]]
    """By hazard and strategy."""
    server: str
    python: str
    machine: str
    date: str
    command: str

    def of(self, hazard: str, strategy: str, release: str) -> str:
        """The verdict of one release; empty where it was not tried."""
        changes = self.verdicts.get(hazard, {}).get(strategy, [])
        at = self.releases.index(release)
        known = [verdict for first, verdict in changes if self.releases.index(first) <= at]
        return known[-1] if known else ""


def load(path: Path = RECORD) -> Verdicts | None:
    """What is on record; None where there is no record."""
    if not path.exists():
        return None
    with files.understood(path, "restore it with git"):
        fields = json.loads(path.read_text())
        fields["releases"] = tuple(fields["releases"])
        fields["verdicts"] = {
            hazard: {
                strategy: [(first, verdict) for first, verdict in some] for strategy, some in row.items()
            }
            for hazard, row in fields["verdicts"].items()
        }
        return Verdicts(**fields)


def measure(
    releases: Sequence[str],
    hazards: Sequence[Hazard],
    strategies: Sequence[str],
    interpreter: Callable[[str], Path],
    server: Server,
    report: Callable[[str, int], None],
) -> None:
    """Try what has not been tried; `report` is told of the release, and of how many trials it has left.

    `releases` are in version order.
    """
    done: set[str] = set()
    while release := next_release(releases, done):
        done.add(release)
        tried = of_release(release)
        missing = {
            (hazard.id, strategy)
            for hazard in hazards
            for strategy in strategies
            if tried.get(hazard.id, {}).get(strategy, Verdict.NO_RESULT) == Verdict.NO_RESULT
        }
        left = len(missing)
        report(release, left)

        def seen(outcome: Outcome, release: str = release) -> None:
            nonlocal left
            left -= 1
            report(release, left)

        outcomes = table.measure(
            server,
            hazards,
            strategies,
            seen,
            wanted=lambda hazard, strategy, missing=missing: (hazard.id, strategy) in missing,  # type: ignore[misc]
            release=release,
            python=interpreter(release),
        )
        for outcome in outcomes:
            tried.setdefault(outcome.hazard, {})[outcome.strategy] = str(outcome.verdict)
        DIRECTORY.mkdir(parents=True, exist_ok=True)
        files.write(DIRECTORY / f"{release}.json", json.dumps(tried))


def next_release(releases: Sequence[str], done: Collection[str]) -> str | None:
    """The release whose verdicts tell most, when those of `done` are known; None when all are."""
    left = [release for release in releases if release not in done]
    for end in (releases[-1:], releases[:1]):
        if end and end[0] in left:
            return end[0]
    known = [at for at, release in enumerate(releases) if release in done]
    gaps = [(one, other) for one, other in pairwise(known) if other - one > 1]
    if not gaps:
        return None
    one, other = max(gaps, key=lambda gap: (differ(releases[gap[0]], releases[gap[1]]), gap[1] - gap[0]))
    return releases[(one + other) // 2]


def differ(one: str, other: str) -> bool:
    """Whether any verdict that both releases have is not the same."""
    return any(
        verdict != Verdict.NO_RESULT
        and of_release(other).get(hazard, {}).get(strategy, verdict) not in (verdict, Verdict.NO_RESULT)
        for hazard, row in of_release(one).items()
        for strategy, verdict in row.items()
    )


def of_release(release: str) -> dict[str, dict[str, str]]:
    """What a sitting has found of one release, by hazard and strategy."""
    path = DIRECTORY / f"{release}.json"
    if not path.exists():
        return {}
    with files.understood(path, "remove it, and it is tried again"):
        found: dict[str, dict[str, str]] = json.loads(path.read_text())
    return found


def record(releases: Sequence[str], server: Server, command: str, path: Path = RECORD) -> Verdicts:
    """Put what a sitting has found on record: of releases in version order, those that were tried."""
    by_release = {release: found for release in releases if (found := of_release(release))}
    verdicts: dict[str, dict[str, Changes]] = {}
    for release, found in by_release.items():
        for hazard, row in found.items():
            for strategy, verdict in row.items():
                changes = verdicts.setdefault(hazard, {}).setdefault(strategy, [])
                if not changes or changes[-1][1] != verdict:
                    changes.append((release, verdict))
    here = Setting.here(server)
    recorded = Verdicts(
        releases=tuple(by_release),
        verdicts=verdicts,
        server=here.server,
        python=here.python,
        machine=here.machine,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
    )
    files.write(path, dumped(recorded))
    return recorded


def dumped(recorded: Verdicts) -> str:
    """A hazard a line: a difference can be read."""
    fields = asdict(recorded)
    rows = [f"  {json.dumps(hazard)}: {json.dumps(row)}" for hazard, row in fields.pop("verdicts").items()]
    head = json.dumps(fields)
    return f'{head[:-1]},\n "verdicts": {{\n' + ",\n".join(rows) + "\n}}\n"
