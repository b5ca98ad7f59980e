"""The plan of a run: each block measures every cell once, and a noisy block is measured again."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, replace
from importlib import metadata

import pytest

from harness.lifecycles import metrics
from harness.lifecycles import plan as planning
from harness.lifecycles.blocks import Block, MeasuredRun, in_block, mark_noisy, relative_ci
from harness.lifecycles.cell import Cell
from harness.lifecycles.plan import Plan
from harness.lifecycles.profile import PROFILES
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable, Rejected
from harness.processes.supervision import Supervision
from harness.system.conditions import Conditions
from harness.system.errors import PoolstartError
from harness.system.structure import structure
from tests.support import broken_strategies

PROFILE = replace(PROFILES["quick"], dataframe_mib=32, deadline=120)
RELEASE = metadata.version("sqlalchemy")
CELL = Cell("fork_dispose", "none")
Plans = Callable[..., Plan]
QUIET = Conditions(seconds=10, pressure=0.05, steal=0.0, load=1.0)


def block(value: float = 1.0, control: float = 0.03, **conditions: float) -> Block:
    return Block(
        seed=1,
        began="2026-01-01T00:00:00+00:00",
        samples={CELL.id: {metric.id: value for metric in metrics.METRICS.values() if metric.decides}},
        collections={},
        controls={"spawn": control},
        conditions=replace(QUIET, **conditions),
    )


@pytest.fixture
def plan_of(server: Server) -> Iterator[Plans]:
    """Makes plans of these strategies without a DataFrame."""
    with Supervision() as supervision:

        def plan(*strategies: str, release: str = RELEASE) -> Plan:
            cells = [Cell(strategy, "none") for strategy in strategies]
            return Plan(cells, server, PROFILE, supervision, release=release)

        yield plan


def test_a_block_has_a_sample_of_every_cell_and_the_bare_start_methods(plan_of: Plans) -> None:
    plan = plan_of("fork_dispose", "forkserver_preload", "spawn")
    found = plan.block(7)
    assert found.samples.keys() == {"fork_dispose.none", "forkserver_preload.none", "spawn.none"}
    assert found.controls.keys() == {"fork", "forkserver", "spawn"}
    for sample in found.samples.values():
        assert sample["startup"] + sample["first_query"] == pytest.approx(
            sample["time_to_first_row"], rel=0.5
        )
    # Processor time, which a busy machine does not lengthen.
    starts = {cell: sample["cpu_startup"] for cell, sample in found.samples.items()}
    assert starts["forkserver_preload.none"] < starts["spawn.none"]


def test_the_progress_says_how_far_it_is_and_how_long_it_will_take() -> None:
    now, steps = [0.0], list[str]()
    profile = replace(PROFILE, blocks=2, budget=50)
    for number in (1, 2, 3):
        report = in_block(number, 2, profile, lambda: now[0], steps.append)
        for cell in ("spawn", "bare start methods"):
            report(cell)
            now[0] += 10
    assert steps == [
        "block 1 of at least 2, 1 of 2, about 8 s left: spawn",
        "block 1 of at least 2, 2 of 2, about 30 s left: bare start methods",
        "block 2 of at least 2, 1 of 2, about 20 s left: spawn",
        "block 2 of at least 2, 2 of 2, about 10 s left: bare start methods",
        "block 3 of at least 2, 1 of 2, for steadier figures, at most 10 s left: spawn",
        "block 3 of at least 2, 2 of 2, for steadier figures, at most 1 s left: bare start methods",
    ]


def test_the_order_of_cells_is_shuffled_by_a_recorded_seed(
    plan_of: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "booted", lambda _: nullcontext(()))
    monkeypatch.setattr(planning, "bare_starts", lambda *_: {})

    def order(seed: int) -> list[str]:
        steps: list[str] = []
        plan = plan_of("fork_dispose", "nullpool", "fork_nodispose")
        assert plan.block(seed, report=steps.append).seed == seed
        return steps

    assert order(1) == order(1) != order(2)


def test_a_rejected_cell_is_not_measured_again(plan_of: Plans) -> None:
    plan = plan_of(broken_strategies.path("FAILS"), "fork_dispose")
    plan.block(1)
    assert [cell.strategy for cell in plan.cells] == ["fork_dispose"]
    with pytest.raises(Rejected, match="a worker of the tests fails"):
        plan.measured.samples(Cell(broken_strategies.path("FAILS"), "none"), "startup")


def away(monkeypatch: pytest.MonkeyPatch, *calls: int) -> None:
    """Make these connection attempts fail, counted from 0."""
    connect, count = Server.connect, itertools.count()

    def connected(server: Server) -> object:
        if next(count) in calls:
            raise PoolstartError("it is away", "wait")
        return connect(server)

    monkeypatch.setattr(Server, "connect", connected)


def test_the_run_waits_for_a_server_that_is_away_between_cells(
    plan_of: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of("fork_dispose", "nullpool")
    away(monkeypatch, 0, 1, 2)
    found = plan.block(7)
    assert found.samples.keys() == {"fork_dispose.none", "nullpool.none"}
    assert plan.measured.rejected == {}


def test_a_server_that_goes_away_costs_only_the_cell_being_measured(
    plan_of: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of("fork_dispose", "nullpool")
    away(monkeypatch, 1)
    found = plan.block(7)
    assert len(found.samples) == len(plan.measured.rejected) == 1
    assert "it is away" in next(iter(plan.measured.rejected.values()))


def test_a_server_that_does_not_come_back_ends_the_run(
    plan_of: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SERVER_WAIT_S", 0.2)
    plan = plan_of("fork_dispose")
    away(monkeypatch, *range(100))
    with pytest.raises(PoolstartError, match="it is away"):
        plan.run(7)


def test_a_failure_while_warming_up_is_reported_for_its_cells(
    plan_of: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of("fork_dispose")
    monkeypatch.setattr(planning.ParentHandle, "lifecycles", lambda *_: rejected())
    assert plan.run(7).rejected == {CELL.id: "not today"}


def rejected() -> Iterator[Lifecycle]:
    raise Rejected("not today")
    yield


def test_a_cell_that_cannot_be_measured_gives_the_reason(plan_of: Plans) -> None:
    plan = plan_of("fork_dispose", release="1.4.32")
    with pytest.raises(NotApplicable, match=r"needs SQLAlchemy 1\.4\.33"):
        plan.measured.samples(CELL, "startup")


def test_a_release_other_than_the_one_of_the_results_is_refused(plan_of: Plans) -> None:
    with pytest.raises(PoolstartError, match=f"imports SQLAlchemy {RELEASE}, not 2.0.1"):
        plan_of("fork_dispose", release="2.0.1").block(1)


def test_a_measured_run_is_the_same_after_a_round_trip_through_json(plan_of: Plans) -> None:
    plan = plan_of("fork_dispose")
    plan.block(1)
    written = json.loads(json.dumps(asdict(plan.measured)))
    assert structure(MeasuredRun, written).samples(CELL, "uss") == plan.measured.samples(CELL, "uss")
    assert plan.measured.facts["sqlalchemy"] == RELEASE
    assert isinstance(plan.measured.facts["c_extensions"], bool)


NOISY: dict[str, Callable[[], Block]] = {
    "the hypervisor took": lambda: block(steal=0.1),
    "tasks waited for a processor": lambda: block(pressure=0.6),
    "a bare spawn took": lambda: block(control=0.06),
}


@pytest.mark.parametrize("reason", NOISY)
def test_a_noisy_block_is_marked_with_the_reason(reason: str) -> None:
    marked = mark_noisy([block(), block(), NOISY[reason](), block()])
    assert [bool(each.noise) for each in marked] == [False, False, True, False]
    assert reason in marked[2].noise


def test_noisy_blocks_are_used_only_if_too_few_are_quiet() -> None:
    quiet = MeasuredRun(RELEASE, "embedded", min_quiet=3)
    quiet.blocks = mark_noisy([block(1), block(2), block(9, pressure=0.9), block(3)])
    assert quiet.samples(CELL, "startup") == [1, 2, 3]
    assert quiet.noisy == ""
    short = MeasuredRun(RELEASE, "embedded", min_quiet=4, blocks=quiet.blocks)
    assert short.samples(CELL, "startup") == [1, 2, 9, 3]
    assert short.noisy.startswith("the machine was busy with something else in 1 of 4 blocks")


class Scripted(Plan):
    """A plan that takes its blocks from a list instead of measuring."""

    script: list[Block]
    asked: list[int]

    def block(self, seed, cells=None, report=lambda _: None):  # type: ignore[no-untyped-def, override]
        self.asked.append(len(cells))
        found = self.script[len(self.asked) - 1]
        self.measured.blocks.append(found)
        return found

    def warm_up(self) -> None:
        pass


def scripted(server: Server, script: list[Block], *, blocks: int, budget: float = 60) -> Scripted:
    profile = replace(PROFILE, blocks=blocks, budget=budget)
    with Supervision() as supervision:
        made = Scripted([CELL], server, profile, supervision, release=RELEASE)
    made.script, made.asked = script, []
    made.run(1)
    return made


def test_a_noisy_block_is_measured_again_and_both_are_kept(server: Server) -> None:
    script = [block(), block(pressure=0.9), block(), block()]
    made = scripted(server, script, blocks=3)
    assert [bool(each.noise) for each in made.measured.blocks] == [False, True, False, False]
    assert len(made.measured.samples(CELL, "startup")) == 3


def test_blocks_are_added_while_intervals_are_wide_and_the_budget_lasts(server: Server) -> None:
    wide = [block(value) for value in (1, 2, 3, 2, 2, 2, 2, 2, 2)]
    certain = scripted(server, wide, blocks=3)
    assert 3 < len(certain.asked) < len(wide)
    assert len(scripted(server, wide, blocks=3, budget=0).asked) == 3
    assert len(scripted(server, [block(1)] * 3, blocks=3).asked) == 3


def test_the_interval_of_a_median_shrinks_with_agreement_and_with_the_number_of_samples() -> None:
    assert relative_ci([1, 1, 1, 1]) == 0
    assert relative_ci([0.9, 1, 1.1]) > relative_ci([0.99, 1, 1.01])
    assert relative_ci([0.9, 1, 1.1] * 4) < relative_ci([0.9, 1, 1.1])
    assert relative_ci([1, 1]) == float("inf")
