"""The record of demos: which programs came out the same in every one of many runs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path

from packaging.version import Version

from harness.demos import catalogue
from harness.demos.repeat import DemoRepetition
from harness.records import store
from harness.records.provenance import Provenance

PATH = store.path("demos")

Program = tuple[str, str, bool]
"""A demo's name, a start method, and whether it is the cured one."""

PROGRAMS: tuple[Program, ...] = tuple(
    (demo.name, method, cured)
    for demo, method, cured in product(catalogue.CATALOGUE, catalogue.START_METHODS, (False, True))
)
"""All programs, in the order of the record."""


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
        missing = {name for name, *_ in set(PROGRAMS) - set(self.programs)}
        return [demo.number for demo in catalogue.CATALOGUE if demo.name not in missing]


def load(path: Path = PATH) -> dict[str, DemoProof]:
    """The proofs by release, the newest first; empty without a record.

    Raises `PoolstartError` if the record is damaged.
    """
    return store.load(dict[str, DemoProof], path, "poolstart record demos") or {}


def add(repetitions: Sequence[DemoRepetition], provenance: Provenance, busy: int, path: Path = PATH) -> None:
    """Record programs beside those of this release that were repeated as often under the same load.

    A program of which any run differed loses the proof it had.
    """
    proofs = load(path)
    before = proofs.get(provenance.release)
    runs = repetitions[0].runs
    measured = {(each.demo.name, each.start_method, each.cured): not each.surprising for each in repetitions}
    others = [each for each in before.programs if each in PROGRAMS and each not in measured] if before else []
    proven = [program for program, same in measured.items() if same]
    if before and others and ((before.runs, before.busy) == (runs, busy) or not proven):
        later = before.later | dict.fromkeys((name for name, *_ in proven), provenance)
        provenance, runs, busy = before.provenance, before.runs, before.busy
    else:
        others, later = [], {}
    programs = tuple(sorted([*others, *proven], key=PROGRAMS.index))
    if before or programs:
        now = {**proofs, provenance.release: DemoProof(provenance, runs, busy, programs, later)}
        newest_first = sorted(now, key=Version, reverse=True)
        store.write(path, {release: asdict(now[release]) for release in newest_first})
