"""Two things against each other: turns and verdicts, on simulated blocks, without timing anything."""

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.cli.compare import part
from harness.outside import profile, versus
from harness.outside.blocks import Block, Measured
from harness.outside.conditions import Conditions
from harness.outside.samples import LEAST_CHANGE, unit
from harness.outside.versus import Side
from harness.releases.sides import requirement
from harness.system.errors import PoolstartError

STRATEGIES = ("fork_dispose", "forkserver_preload", "spawn")
FIGURES = [(m, s, d) for m in versus.METRICS for s in STRATEGIES for d in ("none", "large")]


def pairs(random, *, factor=1.0, noise=0.01, count=10):
    """Heavy tails, and something that meets both of a pair alike."""
    shared = 0.1 * random.standard_t(3, count)
    return [
        (0.1 * np.exp(meets + one), 0.1 * factor * np.exp(meets + other))
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
    steady = [(1.0, 1.0 + sign * 1e-4) for sign in (1, -1) * 5]
    shaky = [(1.0, 1.0 + sign * 0.1) for sign in (1, -1) * 5]
    verdicts = [row.verdict for row in versus.judge({FIGURES[0]: steady, FIGURES[1]: shaky}, tolerate=0.03)]
    assert verdicts == ["same", "cannot tell"]


def test_five_pairs_prove_nothing():
    [row] = versus.judge({FIGURES[0]: [(1.0, 2.0)] * 5}, 0.03)
    assert row.verdict == "cannot tell"


def test_one_bad_pair_proves_nothing():
    [row] = versus.judge({FIGURES[0]: [(1.0, 1.0 + n / 1e4) for n in (-1, 1) * 5] + [(1.0, 3.0)]}, 0.03)
    assert row.verdict == "cannot tell"


@pytest.mark.parametrize("metric", ["startup", "uss"])
def test_what_is_too_small_for_a_step_is_no_change_here_either(metric):
    least = LEAST_CHANGE[unit(metric)]
    verdicts = []
    for change in (0.8 * least, 1.2 * least):
        sure = [(1.0, 1 + change + n / 1e6) for n in range(10)]
        [row] = versus.judge({(metric, "spawn", "none"): sure}, 0.03)
        verdicts.append(row.verdict)
    assert verdicts == ["same", "slower"]


def test_what_got_worse_by_less_than_is_tolerated_is_not_worse():
    [row] = versus.judge({FIGURES[0]: [(1.0, 1.02 + n / 1e4) for n in range(10)]}, 0.03)
    assert row.verdict == "slower"
    assert not row.worse(0.03)
    assert row.worse(0.01)


class Turns:
    """Stands in for `Plan`: answers at once with made up blocks, and remembers who was asked for what."""

    asked: list[tuple[str, int, tuple[str, ...]]]
    wide: str
    disturbed: set[int]

    def __init__(self, cells, server, profile, custody, *, release, python):
        self.cells, self._release = cells, release
        self.measured = Measured(release, "server", facts={"sqlalchemy": release, "c_extensions": True})

    def warm_up(self):
        pass

    def block(self, seed, cells):
        type(self).asked.append((self._release, seed, tuple(cell.id for cell in cells)))
        number = len(type(self).asked)
        samples = {
            cell.id: {
                metric: 1 + (number % 3 * 0.3 if cell.strategy == type(self).wide else 0)
                for metric in versus.METRICS
            }
            for cell in cells
        }
        controls = {"spawn": 2.0 if number in type(self).disturbed else 1.0}
        return Block(seed, "", samples, {}, controls, Conditions(1, 0, 0, 0))


@pytest.fixture
def turns(monkeypatch):
    Turns.asked, Turns.wide, Turns.disturbed = [], "", set()
    monkeypatch.setattr(versus, "Plan", Turns)
    return Turns


def sides():
    return [Side(name, name, Path("python"), ("fork_dispose", "spawn")) for name in ("one", "other")]


def run(**options):
    wanted = {"dataframes": ("none",), "pairs": 8, "budget": 0, "seed": 1, **options}
    return versus.compare(*sides(), None, profile.PROFILES["quick"], **wanted)


def test_both_take_turns_in_an_order_drawn_anew(turns):
    run()
    firsts = [turns.asked[index][0] for index in range(0, 16, 2)]
    assert len(turns.asked) == 16
    assert set(firsts) == {"one", "other"}
    for index in range(0, 16, 2):
        before, after = turns.asked[index], turns.asked[index + 1]
        assert {before[0], after[0]} == {"one", "other"}
        assert before[1:] == after[1:]  # the same cells in the same order
    assert len({seed for _, seed, _ in turns.asked}) == 8


def test_only_what_is_still_uncertain_is_measured_again(turns, monkeypatch):
    turns.wide = "spawn"
    clock = iter(range(1000))
    monkeypatch.setattr(versus.time, "monotonic", lambda: float(next(clock)))
    run(budget=60)
    assert len(turns.asked) > 16
    assert {cells for _, _, cells in turns.asked[16:]} == {("spawn.none",)}


def test_a_disturbed_pair_is_left_out_and_made_up_for(turns):
    turns.disturbed = {3}
    found = run(budget=60)
    assert found.disturbed == 1
    assert len(turns.asked) == 18
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
