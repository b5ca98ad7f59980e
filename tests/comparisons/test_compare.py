"""Which pairs are measured, and when it is enough: with simulated pairs, in no time."""

import re
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from harness import strategies
from harness.cli import compare as command
from harness.cli.commands import app
from harness.cli.compare import part
from harness.comparisons import compare, exact
from harness.comparisons import sides as compared_sides
from harness.comparisons.compare import ComparisonSettings
from harness.comparisons.pairs import Pair, Sample
from harness.comparisons.result import Comparison, Side
from harness.lifecycles import metrics, profile
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.metrics import Table
from harness.postgres import locate
from harness.system.conditions import Conditions

QUICK = profile.PROFILES["quick"]

METRICS = [metric.id for metric in metrics.shown_in(Table.COMPARISON)]


class FakePlan:
    """Stands in for `Plan`: knows the cells that can be measured, and what was rejected."""

    def __init__(self, cells):
        self._cells = cells
        self.measured = MeasuredRun("2.1.9", "server", facts={"c_extensions": True})

    @property
    def cells(self):
        return [cell for cell in self._cells if cell.id not in self.measured.rejected]


class FakePairs:
    """Stands in for `pairs.measure_pair`: answers at once, and remembers which cells were measured."""

    def __init__(self):
        self.measured, self.workers = [], []
        self.varying, self.noisy, self.rejected = "", set(), ""
        self.steal = 0.0
        self.uncertain, self.ratio = set(METRICS), 1.0

    def measure(self, plans, cell_pairs, workers, rng, report, time_left):
        self.measured.append(cell_pairs)
        self.workers.append({name: workers(strategies.get(name)) for name in ("fork_dispose", "spawn")})
        number = len(self.measured)
        report("a cell")
        samples = {}
        for first, second in cell_pairs:
            if not time_left():
                break
            if first.strategy == self.rejected:
                plans[1].measured.rejected[second.id] = "hung"
                continue
            ratio = self.ratio + ((number % 3 - 1) * 0.3 if first.strategy == self.varying else 0)
            samples[first, second] = {
                metric: Sample(1.0, certain, certain)
                for metric in METRICS
                for certain in [ratio if metric in self.uncertain else 1.0]
            }
        return Pair(samples, Conditions(1, 0.5 if number in self.noisy else 0.1, self.steal, 0))


@pytest.fixture
def fake():
    return FakePairs()


def sides(strategies=("fork_dispose", "spawn"), other=()):
    return (
        Side("first", "2.1.9", Path("python"), strategies),
        Side("second", "2.1.9", Path("python"), other or strategies),
    )


def run(fake, both=None, seconds_a_look=0.0, report=lambda text: None, **options):
    """Compare with simulated pairs; the clock advances by `seconds_a_look` whenever it is read."""
    settings = ComparisonSettings(**{"dataframes": ("none",), "pairs": 8, "budget": 40, "seed": 1, **options})
    both = both or sides()
    ticks = count()
    return compare.run(
        both,
        [FakePlan(side.cells(settings.dataframes)) for side in both],
        settings,
        QUICK,
        report,
        elapsed=lambda: next(ticks) * seconds_a_look,
        measure_pair=fake.measure,
    )


def test_each_cell_is_compared_with_the_same_cell_of_the_other_side(fake):
    comparison = run(fake, pairs=8)
    cells = sides()[0].cells(["none"])
    assert fake.measured == [[(cell, cell) for cell in cells]] * 8
    assert {(row.strategy, row.pairs) for row in comparison.rows} == {("fork_dispose", 8), ("spawn", 8)}


def test_a_comparison_of_strategies_names_both(fake):
    comparison = run(fake, sides(("spawn",), ("forkserver",)))
    assert {row.strategy for row in comparison.rows} == {"spawn -> forkserver"}


def test_more_pairs_are_measured_only_of_cells_with_wide_intervals(fake):
    fake.varying = "spawn"
    run(fake, seconds_a_look=1.0, budget=60)
    assert len(fake.measured) > 8
    assert {cell_pair[0].strategy for measured in fake.measured[8:] for cell_pair in measured} == {"spawn"}


@pytest.mark.parametrize(("uncertain", "more"), [("startup", True), ("second_query", False)])
def test_only_deciding_metrics_call_for_more_pairs(fake, uncertain, more):
    fake.varying, fake.uncertain = "spawn", {uncertain}
    run(fake, seconds_a_look=1.0, budget=60, deciding=frozenset({"startup"}))
    assert (len(fake.measured) > 8) == more


def test_a_rejected_cell_is_named_and_not_measured_again(fake):
    fake.rejected, fake.varying = "fork_dispose", "spawn"
    comparison = run(fake, seconds_a_look=1.0, budget=60)
    assert comparison.rejected == ["hung"]
    assert [len(measured) for measured in fake.measured[:2]] == [2, 1]
    assert {row.strategy for row in comparison.rows} == {"spawn"}


def test_a_comparison_ends_when_no_cell_can_be_measured(fake):
    fake.rejected = "fork_dispose"
    comparison = run(fake, sides(("fork_dispose",)), seconds_a_look=1.0, budget=60)
    assert (comparison.rows, comparison.rejected, len(fake.measured)) == ((), ["hung"], 1)


def test_a_machine_that_is_busy_all_the_time_is_named(fake):
    assert run(fake).busy == ""
    fake.steal = 0.5
    assert run(fake).busy == "the hypervisor took 50% of the time"


def test_a_noisy_pair_is_left_out_and_replaced(fake):
    fake.noisy = {3}
    comparison = run(fake, budget=60)
    assert comparison.noisy == 1
    assert len(fake.measured) == 9
    assert all(row.pairs == 8 for row in comparison.rows)


def test_no_pair_begins_when_the_time_is_over_however_few_there_are(fake):
    comparison = run(fake, seconds_a_look=1.0, budget=8, pairs=8)
    assert 1 < len(fake.measured) < 8
    assert {row.verdict for row in comparison.rows} == {"cannot tell"}
    assert comparison.status == 3


def test_where_the_pairs_do_not_fit_parents_start_the_workers_of_a_run(fake):
    run(fake, seconds_a_look=1.0, budget=20, pairs=8)
    assert fake.workers[0] == {"fork_dispose": 3 * QUICK.forks, "spawn": 3 * QUICK.boots}
    assert fake.workers[1] == {"fork_dispose": QUICK.forks, "spawn": QUICK.boots}


def test_the_progress_says_how_much_time_is_left_at_most(fake):
    lines = []
    run(fake, seconds_a_look=1.0, budget=80, pairs=8, report=lines.append)
    assert re.search(r"^pair 1 of at least 8, at most \d+ s left: ", lines[0])
    assert re.search(r"^pair 2 of at least 8, about \d+ s left for those, at most \d+ s left: ", lines[1])


@pytest.mark.parametrize(
    ("ratio", "varying", "rejected", "status"),
    [
        (1.0, "", "", 0),
        (1.04, "", "", 1),
        (1.0, "", "spawn", 2),
        (1.0, "spawn", "", 3),
        (1.04, "", "spawn", 1),
        (1.0, "fork_dispose", "spawn", 2),
    ],
)
def test_the_status_is_worse_before_failed_before_undecided(fake, ratio, varying, rejected, status):
    fake.ratio, fake.varying, fake.rejected = ratio, varying, rejected
    assert run(fake, seconds_a_look=1.0).status == status


@pytest.mark.parametrize(("text", "share"), [("3%", 0.03), ("0.5 %", 0.005), ("0.02", 0.02), ("0", 0)])
def test_tolerate_is_a_percentage_or_a_fraction(text, share):
    assert part(text) == pytest.approx(share)


@pytest.mark.parametrize(("counting", "left"), [(40, 260), (200, 150)])
def test_counting_takes_its_time_from_that_of_the_pairs_and_half_at_most(
    counting: int, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, limits = [0.0], []
    monkeypatch.setattr(command, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(exact, "both", lambda *_: (clock.append(clock.pop() + counting), ([], [], []))[1])
    monkeypatch.setattr(compared_sides, "side", lambda text, *_: Side(text, text, Path("python"), ("spawn",)))
    monkeypatch.setattr(locate, "server", lambda **_: nullcontext())

    def measured(first, second, server, profile, settings, report):
        limits.append(settings.budget)
        return Comparison(first, second, (), 0, 1.0, ["enough"], [], ())

    monkeypatch.setattr(compare, "compare", measured)
    CliRunner().invoke(app, ["compare", "2.1.8", "2.1.9", "--minutes", "5"])
    assert limits == [left]


def test_both_sides_scatter_what_their_parents_import(monkeypatch):
    given = []

    class Stop(Exception):
        pass

    def plan(*_, **options):
        given.append(options)
        if len(given) == 2:
            raise Stop

    monkeypatch.setattr(compare, "Plan", plan)
    with pytest.raises(Stop):
        compare.compare(*sides(), None, QUICK, ComparisonSettings())
    assert [each["of_pairs"] for each in given] == [True, True]
