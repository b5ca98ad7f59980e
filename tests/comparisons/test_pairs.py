"""Interleaved workers of two parents: their order, and their ratios."""

import random
from collections import Counter
from contextlib import contextmanager
from importlib import metadata

import pytest

from harness import strategies
from harness.comparisons import pairs
from harness.lifecycles import plan, profile
from harness.lifecycles.cell import Cell
from harness.lifecycles.metrics import METRICS
from harness.lifecycles.plan import Plan
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.processes.errors import Rejected
from harness.processes.supervision import Supervision


def life(seconds, *, first=False, uss=1000, uss_collected=None):
    values = {
        metric.id: seconds if metric.unit == "seconds" else uss
        for metric in METRICS.values()
        if metric.id != "uss_collected"
    }
    return Lifecycle(first, {**values, **({"uss_collected": uss_collected} if uss_collected else {})})


class Parent:
    """Stands in for `ParentHandle`: its workers take no time, and leave a trace."""

    strategy = strategies.get("spawn")

    def __init__(self, name, trace, rejected_at=None, seconds=1.0):
        self.name, self.trace, self.rejected_at, self.seconds = name, trace, rejected_at, seconds

    def lifecycles(self, count):
        for number in range(count):
            if number == self.rejected_at:
                raise Rejected(f"{self.name} hung")
            self.trace.append((self.name, number))
            yield life(self.seconds, first=number == 0)


def test_workers_start_two_and_two_in_random_order():
    trace = []
    pairs.interleave(Parent("one", trace), Parent("other", trace), 40, random.Random(1))
    for number in range(40):
        couple = trace[2 * number : 2 * number + 2]
        assert sorted(couple) == [("one", number), ("other", number)]
    firsts = Counter(name for name, _ in trace[::2])
    assert min(firsts["one"], firsts["other"]) >= 10


@pytest.mark.parametrize("side", [0, 1])
def test_a_rejection_names_its_side(side):
    parents = [Parent("one", []), Parent("other", [])]
    parents[side].rejected_at = 2
    with pytest.raises(pairs.SideRejected) as failed:
        pairs.interleave(*parents, 5, random.Random(1))
    assert failed.value.side == side
    assert str(failed.value.reason) == f"{parents[side].name} hung"


def test_noise_that_slows_both_neighbours_leaves_their_ratio_alone():
    pace = [1.0, 1.0, 3.0, 1.2, 2.0, 0.9]
    ones = [life(0.1 * each, first=not number) for number, each in enumerate(pace)]
    others = [life(0.11 * each, first=not number) for number, each in enumerate(pace)]
    assert pairs.samples_of(ones, others)["startup"].ratio == pytest.approx(1.1)


def test_a_sample_is_the_median_of_the_means_of_all_pairs_of_workers():
    # The means are 1, 1.5, 2, 2, 2.5, 3, 3.5, 4, 5 and 6; the median of the four values is 2.5.
    assert pairs.hodges_lehmann([1.0, 2.0, 3.0, 6.0]) == 2.75
    assert pairs.hodges_lehmann([7.0]) == 7.0


def test_a_first_worker_counts_only_in_its_own_metric():
    samples = pairs.samples_of([life(5.0, first=True), life(1.0)], [life(10.0, first=True), life(1.0)])
    assert samples["first_worker"].ratio == pytest.approx(2.0)
    assert samples["time_to_first_row"].ratio == pytest.approx(1.0)


def test_a_metric_that_few_workers_report_has_the_ratio_of_those():
    ones = [life(1.0, first=True), life(1.0), life(1.0, uss_collected=100)]
    others = [life(1.0, first=True), life(1.0), life(1.0, uss_collected=120)]
    samples = pairs.samples_of(ones, others)
    assert samples["uss_collected"].ratio == pytest.approx(1.2)
    assert "uss_collected" not in pairs.samples_of(ones[:2], others[:2])


def test_no_worker_starts_when_the_time_is_over_and_an_unfinished_cell_pair_is_left_out():
    trace, booted_parents = [], []
    finished, cut, never = ((Cell(name, "none"),) * 2 for name in ("spawn", "forkserver", "fork_dispose"))

    @contextmanager
    def booted(sides):
        booted_parents.append(sides[0][1])
        yield [Parent(plan, trace) for plan, _ in sides]

    class InOrder(random.Random):
        def sample(self, population, k):
            return list(population)

    pair = pairs.measure_pair(
        ("one", "other"), [finished, cut, never], lambda _: 3, InOrder(), lambda _: None,
        time_left=lambda: len(trace) < 8, boot=booted,
    )  # fmt: skip
    assert set(pair.samples) == {finished}
    assert booted_parents == [finished[0], cut[0]]
    assert len(trace) == 8


def test_the_side_that_boots_first_is_random_and_each_keeps_its_samples():
    orders = []

    @contextmanager
    def booted(sides):
        orders.append([plan for plan, _ in sides])
        yield [Parent(plan, [], seconds={"one": 1.0, "other": 2.0}[plan]) for plan, _ in sides]

    cell_pair = (Cell("spawn", "none"), Cell("spawn", "none"))
    for seed in range(20):
        pair = pairs.measure_pair(
            ("one", "other"), [cell_pair], lambda _: 3, random.Random(seed), lambda _: None, boot=booted
        )
        assert pair.samples[cell_pair]["startup"] == pairs.Sample(1.0, 2.0, 2.0)
    assert {"one", "other"} == {order[0] for order in orders}


@pytest.fixture
def plans(server: Server):
    cells = [Cell("fork_dispose", "none"), Cell("spawn", "none")]
    quick, release = profile.PROFILES["quick"], metadata.version("sqlalchemy")
    with Supervision() as supervision:
        yield [Plan(cells, server, quick, supervision, release=release) for _ in range(2)]


def test_workers_of_real_parents_are_interleaved(plans):
    cells = plans[0].cells
    cell_pairs = list(zip(cells, cells, strict=True))
    lines = []
    pair = pairs.measure_pair(
        plans, cell_pairs, profile.PROFILES["quick"].workers, random.Random(1), lines.append
    )
    assert set(pair.samples) == set(cell_pairs)
    assert sorted(lines) == sorted(map(str, cells))
    for samples in pair.samples.values():
        assert {"startup", "first_query", "uss", "first_worker"} <= set(samples)
        # Both are the same: memory says so to a few per cent, however busy the machine is.
        assert samples["uss"].ratio == pytest.approx(1, abs=0.1)


def test_a_cell_pair_is_left_out_if_one_side_cannot_boot(plans, monkeypatch):
    cell = plans[0].cells[0]
    handle = plan.Plan.handle

    def failing(self, cell):
        made = handle(self, cell)
        if self is plans[1]:
            monkeypatch.setattr(made, "ready", lambda: (_ for _ in ()).throw(Rejected("it did not boot")))
        return made

    monkeypatch.setattr(plan.Plan, "handle", failing)
    pair = pairs.measure_pair(
        plans, [(cell, cell)], profile.PROFILES["quick"].workers, random.Random(1), lambda _: None
    )
    assert pair.samples == {}
    assert plans[1].measured.rejected == {cell.id: "it did not boot"}
    assert pairs.measurable(plans, (plans[0].cells[1], plans[1].cells[0]))
    assert not pairs.measurable(plans, (cell, cell))
