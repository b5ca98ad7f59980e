"""The history: every release measured in one sitting, in turns.

A pass visits all releases in shuffled order and measures one block of each, so that a busy quarter of an hour
is spread over all of them instead of falling on the neighbours in one. Every block is a file as soon
as it is measured: whatever ends a history, the next call goes on behind the last whole block. When all
passes are there, `asv run` files them: it finds the blocks where it would have measured.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asv.machine import Machine

from harness.lifecycles import metrics, plan
from harness.lifecycles.blocks import VERSION, Block, MeasuredRun, mark_noisy
from harness.lifecycles.plan import Plan, cells_of
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.releases import interpreters
from harness.releases.catalogue import Release
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from harness.system.structure import structure

DIRECTORY = ROOT / ".asv" / "history"

AGAIN = 0.1
"""The part of a pass's blocks that may be measured again because the machine was disturbed."""


@dataclass(frozen=True)
class Turn:
    """One block that is due."""

    release: str
    number: int
    """Of the pass, from 1."""
    again: bool = False

    @property
    def file(self) -> str:
        return f"{self.number}{'-again' if self.again else ''}.json"


class History:
    """All blocks of a history, in a folder of files."""

    def __init__(self, directory: Path, releases: Sequence[Release], passes: int) -> None:
        self.directory = directory
        self.releases = [release.version for release in releases]
        self.passes = passes

    def begin(self, conditions: dict[str, Any]) -> None:
        """Refuse to go on under other conditions than those that the blocks were measured under."""
        path = self.directory / "conditions.json"
        if not path.exists():
            self.directory.mkdir(parents=True, exist_ok=True)
            write(path, conditions)
            return
        with files.reading(path, "start anew with --new"):
            begun = dict(json.loads(path.read_text()))
        for name, value in begun.items():
            if conditions.get(name) != value:
                raise PoolstartError(
                    f"the history in {files.shown(self.directory)} was begun with {name} {value}, "
                    f"and this is {conditions.get(name)}",
                    "go on as it was begun, or start anew with --new",
                )

    def turns(self) -> Iterator[Turn]:
        """What is to be measured, in order; what is there already is left out."""
        for number in range(1, self.passes + 1):
            order = list(self.releases)
            random.Random(number).shuffle(order)
            for release in order:
                if not self._path(turn := Turn(release, number)).exists():
                    yield turn
            yield from self._disturbed(number, order)

    def _disturbed(self, number: int, order: Sequence[str]) -> Iterator[Turn]:
        blocks = self.blocks()
        found = [
            turn
            for release in order
            for block_turn, block in blocks.get(release, [])
            if block_turn == Turn(release, number) and block.noise
            if not self._path(turn := Turn(release, number, again=True)).exists()
        ]
        yield from found[: round(AGAIN * len(order))]

    def left(self) -> int:
        return sum(
            not self._path(Turn(release, number)).exists()
            for number in range(1, self.passes + 1)
            for release in self.releases
        )

    def save(self, turn: Turn, measured: MeasuredRun) -> None:
        path = self._path(turn)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, asdict(measured))

    def blocks(self) -> dict[str, list[tuple[Turn, Block]]]:
        """All blocks by release, in the order of passes; the disturbed among all of them marked."""
        found = [
            (turn, self._load(turn))
            for release in self.releases
            for number in range(1, self.passes + 1)
            for turn in (Turn(release, number), Turn(release, number, again=True))
            if self._path(turn).exists()
        ]
        marked = mark_noisy([measured.blocks[0] for _, measured in found])
        by_release: dict[str, list[tuple[Turn, Block]]] = {}
        for (turn, _), block in zip(found, marked, strict=True):
            by_release.setdefault(turn.release, []).append((turn, block))
        return by_release

    def measured(self) -> dict[str, MeasuredRun]:
        """What there is of each release, as one run would have measured it."""
        results = {}
        for release, blocks in self.blocks().items():
            first = self._load(blocks[0][0])
            whole = MeasuredRun(first.release, first.server, facts=first.facts, min_quiet=self.passes)
            for turn, block in blocks:
                part = self._load(turn)
                whole.blocks.append(block)
                whole.rejected |= part.rejected
                whole.not_applicable |= part.not_applicable
            results[release] = whole
        return results

    def _path(self, turn: Turn) -> Path:
        return self.directory / turn.release / turn.file

    def _load(self, turn: Turn) -> MeasuredRun:
        path = self._path(turn)
        with files.reading(path, "remove it, and it is measured again"):
            return structure(MeasuredRun, json.loads(path.read_text()))


def conditions(server: Server, profile: Profile) -> dict[str, Any]:
    """What must be the same for all blocks of a history."""
    machine = Machine.get_defaults()
    return {
        "instrument": VERSION,
        "server": server.identity,
        "profile": profile.name,
        "python": sys.version.split()[0],
        **{name: machine[name] for name in ("machine", "cpu", "num_cpu", "ram", "os")},
    }


def measure(
    history: History, server: Server, profile: Profile, report: Callable[[str, int, float], None]
) -> None:
    """Measure what is missing; `report` is told of each turn, how many are left, and what the last took."""
    seconds = 0.0
    for turn in history.turns():
        report(f"pass {turn.number}, {turn.release}", history.left(), seconds)
        began = time.monotonic()
        with Supervision() as supervision:
            seed = turn.number * 1000 + history.releases.index(turn.release)
            made = Plan(
                cells_of(profile),
                server,
                profile,
                supervision,
                release=turn.release,
                python=interpreters.of_release(turn.release),
            )
            made.block(seed)
            history.save(turn, made.measured)
        seconds = time.monotonic() - began


def file(history: History) -> int:
    """Let asv file what has been measured; returns its exit status."""
    measured = history.measured()
    if not measured:
        raise PoolstartError("nothing has been measured yet", "measure by `poolstart history`")
    folder = history.directory / "filed"
    folder.mkdir(exist_ok=True)
    for release, whole in measured.items():
        write(folder / f"{release}.json", asdict(whole))
    files.write(folder / "releases", "\n".join(measured))
    modules = "|".join(metrics.benchmark_modules())
    done = subprocess.run(
        [sys.executable, "-m", "asv", "run", "-b", f"^({modules})[.]", f"HASHFILE:{folder / 'releases'}"],
        cwd=ROOT,
        env={**os.environ, plan.HISTORY: str(folder)},
        check=False,
    )
    return done.returncode


def write(path: Path, content: dict[str, Any]) -> None:
    files.write(path, json.dumps(content))
