"""The recorded proof of the exhibits: which came out the same every one of many times."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from packaging.version import Version

from harness.demos import catalogue
from harness.demos.runner import Count
from harness.hazards.expected import Setting
from harness.records import store

PATH = store.path("demos")

Program = tuple[str, str, bool]
"""An exhibit, a start method, and whether it was cured."""


@dataclass(frozen=True)
class Proof:
    """Of one release, the programs that ended as expected and told the same story every time."""

    setting: Setting
    runs: int
    """Of each program."""
    busy: int
    """Cores that were kept busy by something else."""
    programs: tuple[Program, ...]

    @property
    def exhibits(self) -> list[int]:
        """Those proven by every start method, as they stand and cured."""
        return [
            each.number
            for each in catalogue.CATALOGUE
            if all(
                (each.name, method, cured) in self.programs
                for method in catalogue.START_METHODS
                for cured in (False, True)
            )
        ]


def load(path: Path = PATH) -> dict[str, Proof]:
    """By release, the newest first; empty where nothing is recorded."""
    if not path.exists():
        return {}
    with store.reading(path, "poolstart exhibit --repeat 50 --record") as proofs:
        return {release: from_json(fields) for release, fields in proofs.items()}


def from_json(fields: dict[str, Any]) -> Proof:
    programs = tuple((name, method, cured) for name, method, cured in fields.pop("programs"))
    return Proof(setting=Setting(**fields.pop("setting")), programs=programs, **fields)


def add(counted: Count, setting: Setting, busy: int, path: Path = PATH) -> None:
    """Keep the proof of a program beside what was proven in the same way before; one that came out
    differently, even once, is proven no more.
    """
    proofs = load(path)
    program = counted.exhibit.name, counted.start_method, counted.cured
    before = proofs.get(setting.release)
    if counted.surprising:
        if before:
            kept = tuple(other for other in before.programs if other != program)
            save({**proofs, setting.release: replace(before, programs=kept)}, path)
        return
    now = Proof(setting, counted.runs, busy, (program,))
    if before and (before.runs, before.busy) == (now.runs, now.busy):
        now = replace(now, programs=tuple(dict.fromkeys((*before.programs, program))))
    save({**proofs, setting.release: now}, path)


def save(proofs: dict[str, Proof], path: Path = PATH) -> None:
    newest_first = sorted(proofs, key=Version, reverse=True)
    store.write(path, {release: asdict(proofs[release]) for release in newest_first})
