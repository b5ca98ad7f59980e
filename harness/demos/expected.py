"""The record of demos: which programs came out the same in every one of many runs."""

from dataclasses import asdict, dataclass, replace
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
    with store.reading(path, "poolstart exhibit --repeat 50 --record") as proofs:
        return structure(dict[str, DemoProof], proofs)


def add(repetition: DemoRepetition, provenance: Provenance, busy: int, path: Path = PATH) -> None:
    """Record a program beside those of this release that were repeated as often under the same load.

    A program of which any run differed loses the proof it had.
    """
    proofs = load(path)
    program = repetition.demo.name, repetition.start_method, repetition.cured
    before = proofs.get(provenance.release)
    if repetition.surprising:
        if before:
            kept = tuple(other for other in before.programs if other != program)
            save({**proofs, provenance.release: replace(before, programs=kept)}, path)
        return
    now = DemoProof(provenance, repetition.runs, busy, (program,))
    if before and (before.runs, before.busy) == (now.runs, now.busy):
        now = replace(now, programs=tuple(dict.fromkeys((*before.programs, program))))
    save({**proofs, provenance.release: now}, path)


def save(proofs: dict[str, DemoProof], path: Path = PATH) -> None:
    """Write the record, the newest release first."""
    newest_first = sorted(proofs, key=Version, reverse=True)
    store.write(path, {release: asdict(proofs[release]) for release in newest_first})
