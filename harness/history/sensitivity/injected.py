"""Injected changes: known differences put into a release, to see whether a comparison reports them."""

import compileall
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from textwrap import indent

from harness.comparisons import compare as comparison
from harness.comparisons import exact
from harness.comparisons.compare import WORKER_FACTOR, ComparisonSettings
from harness.comparisons.judge import MIN_PAIRS
from harness.comparisons.result import Comparison, Side
from harness.console.progress import Progress
from harness.history.sensitivity.record import InjectionResult, SensitivityRecord
from harness.lifecycles.profile import Profile
from harness.postgres.server import Server
from harness.releases import interpreters, venvs
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

Report = Callable[[str], None]


@dataclass(frozen=True)
class InjectedChange:
    """A change of SQLAlchemy's source, and what a comparison has to report of it."""

    id: str
    title: str
    strategies: tuple[str, ...]
    """That are measured: those that are affected, and a control."""
    expected: tuple[str, ...]
    """`metric strategy`, or `rejected strategy` where a check has to fail."""
    allowed: tuple[str, ...]
    """Figures that follow from it, but may change by too little to be reported."""
    file: str
    """In the package `sqlalchemy`."""
    before: str
    """A regular expression after whose match the code is inserted. Empty: at the end of the file."""
    insertion: str
    """The code; `SECONDS` in it is replaced by the time that it is to take."""
    size: float = 0.0
    """The expected change of times, relative."""
    counted: bool = False
    """Whether counts are compared, instead of times and memory."""
    instructions: bool = False
    """Whether instructions are, of the first strategy, which spawns its workers."""

    @property
    def obvious(self) -> bool:
        """Whether few pairs of few workers suffice: for a failing check, or for unique memory."""
        # Unique memory repeats to a thousandth. The rate of false alarms does not depend on the pairs.
        return all(figure.startswith(("rejected ", "uss ")) for figure in self.expected)


ENVIRONMENTS = ROOT / ".asv" / "injected"
"""The virtual environments with the changed releases."""


SPIN = "import time as _t; _e = _t.perf_counter() + SECONDS\nwhile _t.perf_counter() < _e: pass\n"

DISPOSE = r'def dispose\(self, close: bool = True\) -> None:\n        """(?s:.*?)"""\n'

EXTRA_STATEMENT = InjectedChange(
    "statement", "one more statement at an engine's first connection",
    ("spawn", "fork_dispose"), tuple(f"{what}_first_query spawn" for what in ("statements", "round_trips")),
    (),
    "dialects/postgresql/base.py", r"    def initialize\(self, connection\)(?: -> None)?:\n",
    "        connection.exec_driver_sql('select 4711')\n",
    counted=True,
)  # fmt: skip

MORE_IMPORTS = InjectedChange(
    "instructions", "a spawned worker executes 3 % more instructions, at its start", ("spawn",),
    ("instructions_total spawn", "instructions_start spawn"), (),
    "__init__.py", "", "for _i in range(73_000): pass\n",
    instructions=True,
)  # fmt: skip

SAME_INSTRUCTIONS = InjectedChange(
    "same_instructions", "nothing (A/A), by instructions", ("spawn",), (), (), "__init__.py", "", "",
    instructions=True,
)  # fmt: skip

NOTHING = InjectedChange(
    "nothing", "nothing (A/A)", ("spawn", "fork_dispose"), (), (), "__init__.py", "", "",
)  # fmt: skip
"""A copy of the release, compared with itself: whatever a comparison reports is a false alarm."""

INJECTED_CHANGES = (
    InjectedChange(
        "start", "a spawned worker starts 5 % slower",
        ("spawn", "fork_dispose"), ("startup spawn",), ("time_to_first_row spawn",),
        "__init__.py", "", SPIN, size=0.05,
    ),
    InjectedChange(
        "query", "the first query of a forked worker takes 10 % longer",
        ("fork_dispose", "fork_nodispose"), ("first_query fork_dispose",),
        ("time_to_first_row fork_dispose",),
        "engine/base.py", DISPOSE, indent(SPIN, " " * 8), size=0.1,
    ),
    InjectedChange(
        "memory", "half a MiB more of unique memory",
        ("spawn", "forkserver", "fork_dispose"), ("uss spawn", "uss forkserver"), (),
        "__init__.py", "", "_held = bytearray(b'x') * (512 * 1024)\n",
    ),
    InjectedChange(
        "closes", "dispose(close=False) closes",
        ("fork_dispose", "fork_nodispose"), ("rejected fork_dispose",), (),
        "engine/base.py", DISPOSE,
        # As a driver that knows nothing of forks does: psycopg2 spares what another process opened.
        "        import os as _o\n        for _r in list(self.pool._pool.queue):\n"
        "            _o.write(_r.dbapi_connection.fileno(), b'X\\x00\\x00\\x00\\x04')\n",
    ),
    EXTRA_STATEMENT,
    NOTHING,
    MORE_IMPORTS,
    SAME_INSTRUCTIONS,
)  # fmt: skip


def inject(change: InjectedChange, python: Path, seconds: float = 0) -> None:
    """Change the SQLAlchemy that `python` imports, in an environment of its own; `seconds` is what it costs.

    Raises `PoolstartError` if the file is not as expected.
    """
    insertion = change.insertion.replace("SECONDS", repr(seconds))
    done = subprocess.run(
        [python, "-I", "-c", "import sqlalchemy; print(sqlalchemy.__path__[0])"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    path = Path(done.stdout.strip()) / change.file
    text = path.read_text()
    if change.before:
        text, changed = re.subn(change.before, lambda match: match[0] + insertion, text, count=1)
    else:
        text, changed = f"{text}\n{insertion}", 1
    if not changed:
        raise PoolstartError(f"{change.file} of this SQLAlchemy is not as expected", "choose another release")
    # The file may be a hard link into uv's cache, which must stay as it is.
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)
    # So may its bytecode be, where there is any.
    if (bytecode := path.parent / "__pycache__").exists():
        shutil.rmtree(bytecode)
    if not compileall.compile_dir(path.parent, quiet=1, force=True, maxlevels=0):
        raise PoolstartError(f"the change of {change.file} is no Python", "report it")


def measure(
    change: InjectedChange,
    plain: Side,
    changed: Side,
    server: Server,
    profile: Profile,
    pairs: int,
    report: Report,
    *,
    compare: Callable[..., Comparison] = comparison.compare,
) -> InjectionResult:
    """Compare the release with itself, changed, and score what the comparison reports.

    As `poolstart compare --tolerate` does, it measures more pairs until the intervals of the expected figures
    are narrow enough to decide: half as wide, either way, as the change is large.
    """
    if change.counted or change.instructions:
        if change.counted:
            numbers, _ = exact.counts(plain, changed, server, report)
        else:
            numbers = list(exact.instructions(plain, changed, server, report))
        ratios = {
            f"{each.metric} {each.strategy}": each.ratio or inf for each in numbers if each.verdict != "same"
        }
        return score(change, ratios, ratios)
    settings = ComparisonSettings(
        dataframes=("none",),
        pairs=MIN_PAIRS if change.obvious else pairs,
        worker_factor=1 if change.obvious else WORKER_FACTOR,
        tolerate=change.size / 2 or inf,
        deciding=frozenset(figure.split()[0] for figure in change.expected),
    )
    compared = compare(plain, changed, server, profile, settings, report)
    rows = {f"{row.metric} {row.strategy}": row for row in compared.rows}
    rejected = {
        f"rejected {name}"
        for name in change.strategies
        for reason in compared.rejected
        if reason.startswith(f"{name},")
    }
    return score(
        change,
        {figure for figure, row in rows.items() if row.verdict in ("slower", "faster")} | rejected,
        {figure: row.ratio for figure, row in rows.items()},
        pairs=max(
            (row.pairs for figure, row in rows.items() if figure in (change.expected or rows)), default=0
        ),
    )


def score(
    change: InjectedChange, reported: Collection[str], ratios: Mapping[str, float], pairs: int = 0
) -> InjectionResult:
    """Score the reported changes against those the injected change should cause."""
    sized = {*change.expected, *reported}
    return InjectionResult(
        change.id,
        found=sorted(set(reported) & set(change.expected)),
        missed=sorted(set(change.expected) - set(reported)),
        unexpected=sorted(set(reported) - set(change.expected) - set(change.allowed)),
        sizes={figure: ratio for figure, ratio in ratios.items() if figure in sized},
        pairs=pairs,
    )


def prepare(record: SensitivityRecord, changes: Sequence[InjectedChange], report: Report) -> dict[str, Side]:
    """Install the changed releases, each in an environment of its own, by the id of the change.

    A change of a time costs a share of the time that the runs on record have measured.
    """
    release = record.provenance.release
    packages = [f"sqlalchemy=={release}", *venvs.pins(interpreters.pinned())]
    sides = {}
    for change in changes:
        report(f"{change.title}: installing")
        home = ENVIRONMENTS / change.id
        shutil.rmtree(home, ignore_errors=True)
        python = venvs.python_with(packages, home)
        seconds = change.size * recorded_median(record, change.expected[0]) if change.size else 0
        inject(change, python, seconds)
        sides[change.id] = Side(change.title, release, python, change.strategies)
    return sides


def recorded_median(record: SensitivityRecord, figure: str) -> float:
    """The median of all runs of `metric strategy` without a DataFrame, in seconds or bytes."""
    return median(
        value
        for repeated in record.figures
        if (f"{repeated.metric} {repeated.strategy}", repeated.dataframe) == (figure, "none")
        for run in repeated.runs
        for value in run
    )


def measure_all(
    record: SensitivityRecord,
    server: Server,
    profile: Profile,
    repetitions: int,
    pairs: int,
    report: Progress,
    changes: Sequence[InjectedChange] = INJECTED_CHANGES,
) -> Iterator[InjectionResult]:
    """Measure each change `repetitions` times, in turns, less those that are on record."""
    done = Counter(result.seed for result in record.repetitions)
    due = [
        (number, change)
        for number in range(1, repetitions + 1)
        for change in changes
        if number > done[change.id]
    ]
    sides = prepare(record, changes, report) if due else {}
    release = record.provenance.release
    for (_, change), inner in report.each(due, name=lambda item: f"{item[1].title}, repetition {item[0]}"):
        plain = Side("as released", release, interpreters.of_release(release), change.strategies)
        yield measure(change, plain, sides[change.id], server, profile, pairs, inner)
