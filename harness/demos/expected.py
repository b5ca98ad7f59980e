"""The record of demos: which programs came out the same in every one of many runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from packaging.version import Version

from harness.demos import catalogue
from harness.demos.repeat import DemoRepetition
from harness.records import store
from harness.records.provenance import Provenance
from harness.system.structure import structure

PATH = store.path("demos")

Program = tuple[str, str, bool]
"""A demo's name, a start method, and whether it is the cured one."""


@dataclass(frozen=True)
class DemoProof:
    """Of one release, the programs that ended as expected and printed the same story in every run."""

    provenance: Provenance
    runs: int
    """Of each program."""
    busy: int
    """Cores that were kept busy by other processes."""
    programs: tuple[Program, ...]
    later: dict[str, Provenance] = field(default_factory=dict)
    """The provenance of demos that were repeated after the others, by name."""

    @property
    def demos(self) -> list[int]:
        """The numbers of the demos proven by every start method, as they stand and cured."""
        return [
            demo.number
            for demo in catalogue.CATALOGUE
            if all(
                (demo.name, method, cured) in self.programs
                for method in catalogue.START_METHODS
                for cured in (False, True)
            )
        ]


def load(path: Path = PATH) -> dict[str, DemoProof]:
    """The proofs by release, the newest first; empty without a record.

    Raises `PoolstartError` if the record is damaged.
    """
    if not path.exists():
        return {}
    with store.reading(path, "poolstart record demos") as proofs:
        return structure(dict[str, DemoProof], proofs)


def add(repetitions: Sequence[DemoRepetition], provenance: Provenance, busy: int, path: Path = PATH) -> None:
    """Record programs beside those of this release that were repeated as often under the same load.

    A program of which any run differed loses the proof it had.
    """
    proofs = load(path)
    before = proofs.get(provenance.release)
    measured = [(each.demo.name, each.start_method, each.cured) for each in repetitions]
    proven = [program for program, each in zip(measured, repetitions, strict=True) if not each.surprising]
    others = [program for program in before.programs if program not in measured] if before else []
    runs = max((each.runs for each in repetitions), default=0)
    if before and not proven:
        now = replace(before, programs=tuple(others))
    elif before and others and (before.runs, before.busy) == (runs, busy):
        # In their old places, so that the file changes little.
        programs = dict.fromkeys(program for program in before.programs if program in (*others, *proven))
        later = before.later | dict.fromkeys((name for name, _, _ in proven), provenance)
        now = replace(before, programs=tuple({**programs, **dict.fromkeys(proven)}), later=later)
    elif proven:
        now = DemoProof(provenance, runs, busy, tuple(proven))
    else:
        return
    save({**proofs, provenance.release: now}, path)


def save(proofs: dict[str, DemoProof], path: Path = PATH) -> None:
    """Write the record, the newest release first."""
    newest_first = sorted(proofs, key=Version, reverse=True)
    store.write(path, {release: asdict(proofs[release]) for release in newest_first})
