"""The record of causes: explanations of pairs of releases, a row each."""

import platform
from collections.abc import Iterable
from dataclasses import asdict

from packaging.version import Version

from harness.history.causes import Explanation
from harness.history.paired import PairedChange
from harness.records import store

PATH = store.path("causes")


def unexplained(steps: Iterable[PairedChange], recorded: Iterable[Explanation]) -> list[tuple[str, str, str]]:
    """The changes without an explanation on record, as release before, release and strategy."""
    known = {(explanation.before, explanation.after, explanation.strategy) for explanation in recorded}
    wanted = dict.fromkeys((step.before, step.release, step.strategy) for step in steps)
    return [key for key in wanted if key not in known]


def load() -> list[Explanation]:
    """The recorded explanations; none if there is no record. Raises `PoolstartError` if it is damaged."""
    return store.load(list[Explanation], PATH, "poolstart record causes") or []


def recorded(before: str, after: str, strategies: Iterable[str]) -> dict[str, Explanation]:
    """The explanations on record of these releases, for this Python, by strategy."""
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        each.strategy: each
        for each in load()
        if (each.before, each.after) == (before, after)
        and each.strategy in strategies
        and each.python.startswith(f"{python}.")
    }


def record(explanation: Explanation) -> None:
    """Add an explanation to the record, in place of an older one of the same releases and strategy."""

    def key(recorded: Explanation) -> tuple[Version, Version, str]:
        return Version(recorded.before), Version(recorded.after), recorded.strategy

    kept = [recorded for recorded in load() if key(recorded) != key(explanation)]
    rows = sorted([*kept, explanation], key=key)
    store.write(PATH, [asdict(recorded) for recorded in rows])
