"""Two things against each other: turns and verdicts, on simulated pairs, without timing anything."""

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harness import strategies
from harness.cli import app
from harness.cli.compare import part
from harness.comparisons import compare as versus
from harness.comparisons.compare import Side
from harness.comparisons.pairs import Pair, Sample
from harness.comparisons.sides import requirement
from harness.lifecycles import metrics, profile
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.cell import Cell
from harness.lifecycles.metrics import Table
from harness.system.conditions import Conditions
from harness.system.errors import PoolstartError

STRATEGIES = ("fork_dispose", "forkserver_preload", "spawn")
METRICS = [metric.id for metric in metrics.shown_in(Table.COMPARISON)]
FIGURES = [(m, s, d) for m in METRICS for s in STRATEGIES for d in ("none", "large")]


def sample(ratio, first=1.0):
    return Sample(first, first * ratio, ratio)


def pairs(random, *, factor=1.0, noise=0.01, count=10):
    """Heavy tails, and something that meets both of a pair alike."""
    shared = 0.1 * random.standard_t(3, count)
    return [
        sample(factor * np.exp(other - one), 0.1 * np.exp(meets + one))
        for meets, one, other in zip(shared, *(noise * random.standard_t(3, (2, count))), strict=True)
    ]


def test_a_thing_against_itself_is_seldom_slower_or_faster():
    random = np.random.default_rng(1)
    named = [
        any(
            row.verdict in ("slower", "faster")
            for row in versus.judge({figure: pairs(random) for figure in FIGURES}, 0.03)
        )
        for _ in range(200)
    ]
    assert sum(named) <= 200 * versus.FALSE_ALARMS * 2


def test_a_known_difference_is_found_in_its_figure_and_nowhere_else():
    random = np.random.default_rng(2)
    changed = ("startup", "spawn", "none")
    found = 0
    for _ in range(50):
        measured = {f: pairs(random, factor=1.05 if f == changed else 1) for f in FIGURES}
        rows = {(row.metric, row.strategy, row.dataframe): row for row in versus.judge(measured, 0.03)}
        found += rows[changed].verdict == "slower"
        assert rows[changed].low < rows[changed].ratio < rows[changed].high
        assert {figure for figure, row in rows.items() if row.verdict == "slower"} <= {changed}
    assert found >= 35  # noise with such tails now and then hides five per cent


def test_intervals_hold_the_truth_as_often_as_they_say():
    random = np.random.default_rng(3)
    rows = [versus.judge({FIGURES[0]: pairs(random, factor=1.02)}, 0.03)[0] for _ in range(500)]
    assert sum(row.low <= 1.02 <= row.high for row in rows) >= 0.98 * 500


def test_same_is_said_only_where_the_whole_interval_is_tolerated():
    steady = [sample(1.0 + sign * 1e-4) for sign in (1, -1) * 5]
    shaky = [sample(1.0 + sign * 0.1) for sign in (1, -1) * 5]
    verdicts = [row.verdict for row in versus.judge({FIGURES[0]: steady, FIGURES[1]: shaky}, tolerate=0.03)]
    assert verdicts == ["same", "cannot tell"]


def test_five_pairs_prove_nothing():
    [row] = versus.judge({FIGURES[0]: [sample(2.0)] * 5}, 0.03)
    assert row.verdict == "cannot tell"


def test_one_bad_pair_proves_nothing():
    [row] = versus.judge({FIGURES[0]: [sample(1 + n / 1e4) for n in (-1, 1) * 5] + [sample(3.0)]}, 0.03)
    assert row.verdict == "cannot tell"


@pytest.mark.parametrize("metric", ["startup", "uss"])
def test_what_is_too_small_for_a_step_is_no_change_here_either(metric):
    large = {"startup": 0.2, "uss": 30 * 2**20}[metric]
    least = metrics.MIN_RELATIVE_CHANGE[metrics.get(metric).unit]
    verdicts = []
    for change in (0.8 * least, 1.2 * least):
        sure = [sample(1 + change + n / 1e6, large) for n in range(10)]
        [row] = versus.judge({(metric, "spawn", "none"): sure}, 0.03)
        verdicts.append(row.verdict)
    assert verdicts == ["same", "slower"]


def test_a_few_pages_more_are_how_memory_happens_to_lie():
    small = 4 * 2**20
    verdicts = []
    for pages in (10, 20):
        sure = [sample(1 + pages * 4096 / small + n / 1e6, small) for n in range(10)]
        [row] = versus.judge({("uss", "fork_dispose", "none"): sure}, 0.03)
        verdicts.append(row.verdict)
    assert verdicts == ["same", "slower"]


def test_what_got_worse_by_less_than_is_tolerated_is_not_worse():
    [row] = versus.judge({FIGURES[0]: [sample(1.02 + n / 1e4) for n in range(10)]}, 0.03)
    assert row.verdict == "slower"
    assert not row.worse(0.03)
    assert row.worse(0.01)


class Cells:
    """Stands in for `Plan`: knows what can be measured, and what was rejected."""

    def __init__(self, cells, server, profile, supervision, *, release, python):
        self._cells, self.profile = cells, profile
        self.measured = MeasuredRun(release, "server", facts={"sqlalchemy": release, "c_extensions": True})

    @property
    def cells(self):
        return [cell for cell in self._cells if cell.id not in self.measured.rejected]

    def warm_up(self):
        pass


class Turns:
    """Stands in for `turns.pair`: answers at once with made up pairs, and remembers what was asked for."""

    def __init__(self):
        self.asked, self.workers = [], []
        self.wide, self.disturbed, self.rejects = "", set(), ""
        self.uncertain = set(METRICS)

    def pair(self, plans, matches, workers, chance, report):
        self.asked.append([f"{one} {other}" for one, other in matches])
        self.workers.append({name: workers(strategies.get(name)) for name in ("fork_dispose", "spawn")})
        number = len(self.asked)
        report("asked")
        samples = {}
        for one, other in matches:
            if one.strategy == self.rejects:
                plans[1].measured.rejected[other.id] = "hung"
                continue
            ratio = 1 + (number % 3 * 0.3 if one.strategy == self.wide else 0)
            samples[one, other] = {
                metric: sample(ratio if metric in self.uncertain else 1) for metric in METRICS
            }
        return Pair(samples, Conditions(1, 0.5 if number in self.disturbed else 0.1, 0, 0))


@pytest.fixture
def turns(monkeypatch):
    made = Turns()
    monkeypatch.setattr(versus, "Plan", Cells)
    monkeypatch.setattr(versus.turns, "pair", made.pair)
    return made


@pytest.fixture
def clock(monkeypatch):
    ticks = iter(range(1000))
    monkeypatch.setattr(versus.time, "monotonic", lambda: float(next(ticks)))


def sides(strategies=("fork_dispose", "spawn")):
    return [Side(name, name, Path("python"), strategies) for name in ("one", "other")]


def run(**options):
    wanted = {"dataframes": ("none",), "pairs": 8, "budget": 0, "seed": 1, **options}
    return versus.compare(*sides(), None, profile.PROFILES["quick"], **wanted)


def test_each_cell_of_the_one_is_held_against_its_own_of_the_other(turns):
    found = run(pairs=8)
    assert turns.asked == [[f"{cell} {cell}" for cell in sides()[0].cells(["none"])]] * 8
    usual = profile.PROFILES["quick"]
    assert turns.workers[0] == {"fork_dispose": 3 * usual.forks, "spawn": 3 * usual.boots}
    assert {(row.strategy, row.pairs) for row in found.rows} == {("fork_dispose", 8), ("spawn", 8)}


def test_only_some_cells_are_measured_where_others_are_of_no_interest(turns):
    run(only={Cell("spawn", "none")})
    assert {len(some) for some in turns.asked} == {1}


def test_strategies_against_each_other_are_labelled_with_both(turns):
    one, other = Side("a", "2", Path("p"), ("spawn",)), Side("b", "2", Path("p"), ("forkserver",))
    found = versus.compare(
        one, other, None, profile.PROFILES["quick"], dataframes=("none",), pairs=6, budget=0
    )
    assert {row.strategy for row in found.rows} == {"spawn -> forkserver"}


def test_only_what_is_still_uncertain_is_measured_again(turns, clock):
    turns.wide = "spawn"
    run(budget=60)
    assert len(turns.asked) > 8
    assert all(len(some) == 1 and "spawn" in some[0] for some in turns.asked[8:])


@pytest.mark.parametrize(("uncertain", "more"), [("startup", True), ("second_query", False)])
def test_more_pairs_may_be_for_some_metrics_only(turns, clock, uncertain, more):
    turns.wide, turns.uncertain = "spawn", {uncertain}
    run(budget=60, narrow={"startup"})
    assert (len(turns.asked) > 8) == more


def test_what_is_rejected_is_told_and_not_asked_again(turns, clock):
    turns.rejects, turns.wide = "fork_dispose", "spawn"
    found = run(budget=60)
    assert found.rejected == ["hung"]
    assert [len(some) for some in turns.asked[:2]] == [2, 1]
    assert {row.strategy for row in found.rows} == {"spawn"}


def test_a_run_of_which_nothing_can_be_measured_ends(turns, clock):
    turns.rejects = "fork_dispose"
    found = versus.compare(
        *sides(("fork_dispose",)), None, profile.PROFILES["quick"], dataframes=("none",), budget=60
    )
    assert (found.rows, found.rejected, len(turns.asked)) == ((), ["hung"], 1)


def test_a_disturbed_pair_is_left_out_and_made_up_for(turns):
    turns.disturbed = {3}
    found = run(budget=60)
    assert found.disturbed == 1
    assert len(turns.asked) == 9
    assert all(row.pairs == 8 for row in found.rows)


@pytest.mark.parametrize(("text", "share"), [("3%", 0.03), ("0.5 %", 0.005), ("0.02", 0.02), ("0", 0)])
def test_what_is_tolerated_is_a_share(text, share):
    assert part(text) == pytest.approx(share)


def test_what_is_compared_may_be_a_version_a_folder_a_wheel_or_what_pip_understands(tmp_path):
    assert requirement("2.9.10", "psycopg2-binary") == "psycopg2-binary==2.9.10"
    (tmp_path / "setup.py").touch()
    assert requirement(str(tmp_path), "sqlalchemy") == f"sqlalchemy @ {tmp_path.as_uri()}"
    wheel = tmp_path / "sqlalchemy-2.1.9-py3-none-any.whl"
    wheel.touch()
    assert requirement(str(wheel), "sqlalchemy").endswith(".whl")
    assert requirement("sqlalchemy @ git+https://x", "sqlalchemy") == "sqlalchemy @ git+https://x"


def test_what_is_none_of_these_is_told_in_one_line(tmp_path):
    with pytest.raises(PoolstartError, match="no pyproject"):
        requirement(str(tmp_path), "sqlalchemy")
    with pytest.raises(PoolstartError, match="no such folder"):
        requirement("nonsense", "sqlalchemy")


def test_the_command_says_what_it_takes():
    told = re.sub(r"\x1b\[[0-9;]*m", "", CliRunner().invoke(app, ["compare", "--help"]).stdout)
    assert "--tolerate" in told
