"""What the instrument says of one release, measured as if it were many, and of known differences."""

import compileall
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from textwrap import indent

from asv.machine import Machine

from harness.comparisons import compare as versus
from harness.comparisons.compare import Side
from harness.counts import count as exact
from harness.lifecycles import plan
from harness.lifecycles.blocks import VERSION, MeasuredRun
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.records import store
from harness.system.conditions import facts
from harness.system.errors import PoolstartError
from harness.system.structure import structure

Report = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One metric of one cell: of each run its samples, a parent each."""

    metric: str
    strategy: str
    dataframe: str
    runs: list[list[float]]


@dataclass(frozen=True)
class Repetition:
    """One comparison of a release with itself, changed."""

    seed: str
    found: list[str]
    """What got slower or was rejected: `metric strategy`, or the reason."""
    missed: list[str]
    unexpected: list[str]
    sizes: dict[str, float]
    """Of what was expected, and of all else that was told: the ratio that was seen."""
    pairs: int = 0
    """Of parents of what was expected; none where it was counted."""


@dataclass
class Noise:
    """The proof, as it is recorded."""

    date: str
    command: str
    release: str
    server: str
    instrument: str
    facts: dict[str, object]
    seconds: float
    disturbed: list[int]
    """Blocks of each run that were marked."""
    figures: list[Figure]
    controls: dict[str, list[list[float]]]
    """Seconds to the first line of a bare worker: by start method, of each run its blocks."""
    repetitions: list[Repetition]
    loaded: bool = False
    """Whether something else kept a core busy for random tenths of the time."""
    seeded: str = ""
    """By which command, and when, known differences were last measured."""
    pairs: int = 0
    """Of parents in each of those, at least."""

    @property
    def machine(self) -> str:
        return "{cpu}, {processors} cores, Linux {kernel}".format(**self.facts)

    def save(self, path: Path) -> None:
        rounded = json.loads(json.dumps(asdict(self)), parse_float=lambda text: float(f"{float(text):.6g}"))
        store.write(path, rounded)

    @classmethod
    def load(cls, path: Path) -> "Noise":
        with store.reading(path, "poolstart noise") as written:
            return structure(cls, written)


def runs(
    cells: Sequence[Cell],
    server: Server,
    profile: Profile,
    release: str,
    python: Path,
    number: int,
    report: Report,
) -> list[MeasuredRun]:
    """The same release, measured again and again as `asv run` would."""
    found = []
    for run in range(1, number + 1):
        report(f"run {run} of {number}")
        found.append(
            plan.measure(
                cells, server, profile, release=release, python=python,
                report=lambda what, run=run: report(f"run {run} of {number}, {what}"),  # type: ignore[misc]
            )
        )  # fmt: skip
    return found


def figures(measured: Sequence[MeasuredRun], cells: Sequence[Cell], metrics: Sequence[str]) -> list[Figure]:
    """By metric and cell; what was rejected in a run, or is not applicable, is left out."""
    kept = [
        cell for cell in cells if all(cell.id not in {**m.rejected, **m.not_applicable} for m in measured)
    ]
    return [
        Figure(metric, cell.strategy, cell.dataframe, found)
        for metric in metrics
        for cell in kept
        if all(found := [one.samples(cell, metric) for one in measured])
    ]


def record(
    measured: Sequence[MeasuredRun],
    found: list[Figure],
    server: Server,
    *,
    command: str,
    seconds: float,
    loaded: bool,
) -> Noise:
    return Noise(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        release=measured[0].release,
        server=server.identity,
        instrument=VERSION,
        facts={**measured[0].facts, **facts(), "cpu": Machine.get_defaults()["cpu"]},
        seconds=round(seconds),
        disturbed=[sum(bool(block.noise) for block in one.blocks) for one in measured],
        figures=found,
        controls={
            method: [one.controls(method) for one in measured] for method in measured[0].blocks[0].controls
        },
        repetitions=[],
        loaded=loaded,
    )


@dataclass(frozen=True)
class Seed:
    """A known difference, and where it has to be found."""

    id: str
    title: str
    strategies: tuple[str, ...]
    """That are measured: those concerned, and a control."""
    expected: tuple[str, ...]
    """`metric strategy`; or `rejected strategy`, where a guard has to see it."""
    allowed: tuple[str, ...]
    """What follows from it and may be too small to be found."""
    file: str
    """Of the package."""
    before: str
    """A regular expression: the insertion follows what it matches. Empty: the end of the file."""
    insertion: str
    """`SECONDS` in it is what it costs."""
    size: float = 0.0
    """Of what is expected of times, as a part of them."""
    counted: bool = False
    """Whether it is held against what repeats exactly, instead of times and memory."""

    @property
    def obvious(self) -> bool:
        """Whether few pairs of few workers tell: a guard has to see it, or unique memory, which repeats to a
        thousandth."""
        return all(what.startswith(("rejected ", "uss ")) for what in self.expected)


LIMIT = 600
"""Seconds after which a repetition is over, however wide its intervals are."""

SPIN = "import time as _t; _e = _t.perf_counter() + SECONDS\nwhile _t.perf_counter() < _e: pass\n"

DISPOSE = r'def dispose\(self, close: bool = True\) -> None:\n        """(?s:.*?)"""\n'

STATEMENT = Seed(
    "statement", "one more statement at an engine's first connection",
    ("spawn", "fork_dispose"), tuple(f"{what}_first_query spawn" for what in ("statements", "round_trips")),
    ("calls_first_query spawn", "code_bytes spawn"),
    "dialects/postgresql/base.py", r"    def initialize\(self, connection\)(?: -> None)?:\n",
    "        connection.exec_driver_sql('select 4711')\n",
    counted=True,
)  # fmt: skip

SEEDS = (
    Seed(
        "start", "a spawned worker starts 5 % slower",
        ("spawn", "fork_dispose"), ("startup spawn",), ("time_to_first_row spawn",),
        "__init__.py", "", SPIN, size=0.05,
    ),
    Seed(
        "query", "the first query of a forked worker takes 10 % longer",
        ("fork_dispose", "fork_nodispose"), ("first_query fork_dispose",),
        ("time_to_first_row fork_dispose",),
        "engine/base.py", DISPOSE, indent(SPIN, " " * 8), size=0.1,
    ),
    Seed(
        "memory", "half a MiB more of unique memory",
        ("spawn", "forkserver", "fork_dispose"), ("uss spawn", "uss forkserver"), (),
        "__init__.py", "", "_held = bytearray(b'x') * (512 * 1024)\n",
    ),
    Seed(
        "closes", "dispose(close=False) closes",
        ("fork_dispose", "fork_nodispose"), ("rejected fork_dispose",), (),
        "engine/base.py", DISPOSE,
        # As a driver would that knows nothing of forks: psycopg2 spares what another process opened.
        "        import os as _o\n        for _r in list(self.pool._pool.queue):\n"
        "            _o.write(_r.dbapi_connection.fileno(), b'X\\x00\\x00\\x00\\x04')\n",
    ),
    STATEMENT,
)  # fmt: skip


def plant(seed: Seed, python: Path, seconds: float = 0) -> None:
    """Change the SQLAlchemy that `python` imports, in an environment of its own, at a cost of `seconds`."""
    insertion = seed.insertion.replace("SECONDS", repr(seconds))
    asked = subprocess.run(
        [python, "-I", "-c", "import sqlalchemy; print(sqlalchemy.__path__[0])"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    path = Path(asked.stdout.strip()) / seed.file
    text = path.read_text()
    if seed.before:
        text, changed = re.subn(seed.before, lambda found: found[0] + insertion, text, count=1)
    else:
        text, changed = f"{text}\n{insertion}", 1
    if not changed:
        raise PoolstartError(f"{seed.file} of this SQLAlchemy is not as expected", "choose another release")
    # The file may be a hard link into uv's cache, which must stay as it is.
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
    # Its bytecode is one too, where there is any.
    if (bytecode := path.parent / "__pycache__").exists():
        shutil.rmtree(bytecode)
    if not compileall.compile_dir(path.parent, quiet=1, force=True, maxlevels=0):
        raise PoolstartError(f"the change of {seed.file} is no Python", "report it")


def repeat(
    seed: Seed, plain: Side, changed: Side, server: Server, profile: Profile, pairs: int, report: Report
) -> Repetition:
    """Compare the release with itself, changed, and see whether it is told.

    As `poolstart compare --tolerate` does, this goes on until what is sought has an interval that is narrow
    enough to decide: half as wide, either way, as the difference is large.
    """
    if seed.counted:
        report("counting")
        moved = counted(seed.strategies, plain, changed, server)
        return sought(seed, moved, moved)
    seen = versus.compare(
        plain, changed, server, profile, dataframes=("none",), report=report,
        pairs=versus.LEAST if seed.obvious else pairs,
        times=1 if seed.obvious else versus.TIMES,
        budget=0 if seed.obvious else LIMIT,
        tolerate=seed.size / 2,
        narrow={what.split()[0] for what in seed.expected},
    )  # fmt: skip
    told = {f"{row.metric} {row.strategy}" for row in seen.rows if row.verdict in ("slower", "faster")}
    rejected = {
        f"rejected {name}"
        for name in seed.strategies
        for reason in seen.rejected
        if reason.startswith(f"{name},")
    }
    ratios = {f"{row.metric} {row.strategy}": row.ratio for row in seen.rows}
    of_parents = [row.pairs for row in seen.rows if f"{row.metric} {row.strategy}" in seed.expected]
    return sought(seed, told | rejected, ratios, pairs=max(of_parents, default=0))


def counted(strategies: Sequence[str], plain: Side, changed: Side, server: Server) -> dict[str, float]:
    """What repeats exactly and is another number now, with the ratio of the two.

    When the garbage collector runs follows from all else: no change has only that.
    """
    moved = {}
    for strategy in strategies:
        before, after = (
            exact.count(strategy, server, release=side.release, python=side.python).figures
            for side in (plain, changed)
        )
        for name, value in before.items():
            if after[name] != value and not name.startswith("collections"):
                moved[f"{name} {strategy}"] = after[name] / value if value else inf
    return moved


def sought(seed: Seed, told: Collection[str], ratios: Mapping[str, float], pairs: int = 0) -> Repetition:
    """What was told, held against what a seed had to make be told."""
    sized = {*seed.expected, *told}
    return Repetition(
        seed.id,
        found=sorted(set(told) & set(seed.expected)),
        missed=sorted(set(seed.expected) - set(told)),
        unexpected=sorted(set(told) - set(seed.expected) - set(seed.allowed)),
        sizes={name: ratio for name, ratio in ratios.items() if name in sized},
        pairs=pairs,
    )
