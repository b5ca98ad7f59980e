"""Queries of a worker with and without a pool, and the share of its life that start and end take."""

import pytest

from harness.curves import work
from harness.curves.curve import CurveRecord, Point
from harness.curves.sections import work as section
from harness.fleets.measure import STRATEGIES
from harness.postgres.server import Server
from tests.support.curves import PROVENANCE
from tests.support.poolers import needs_pgbouncer


def queries(strategy: str, first: float, further: float, pooler: str = "") -> Point:
    """Ten workers, none of which is quite like another."""
    values = {
        f"query_{number}": [(first + further * (number - 1)) * (1 + 0.001 * worker) for worker in range(10)]
        for number in work.QUERIES
    }
    return Point({"strategy": strategy, "task": "queries", "pooler": pooler}, values)


def task(strategy: str, seconds: float, overhead: float = 0.099) -> Point:
    return Point({"strategy": strategy, "task": seconds}, {"life": [seconds + overhead] * 3})


RECORD = CurveRecord(
    PROVENANCE,
    [
        queries("fork_dispose", 10.0, 1.0),
        queries("nullpool", 6.0, 2.0),
        queries("spawn", 10.0, 1.0),
        queries("spawn_nullpool", 6.0, 1.0),
        queries("fork_dispose", 10.0, 1.0, work.BEHIND),
        queries("nullpool", 9.0, 1.5, work.BEHIND),
        *(task(name, seconds) for name in STRATEGIES for seconds in work.TASKS),
    ],
)


def test_a_pool_breaks_even_where_the_curves_cross() -> None:
    found = work.break_even(RECORD, "fork")
    assert found
    estimate, low, high = found
    assert estimate == pytest.approx(5, abs=0.1)
    assert low <= estimate <= high


def test_behind_a_pooler_it_breaks_even_elsewhere() -> None:
    found = work.break_even(RECORD, "fork behind PgBouncer")
    assert found
    assert found[0] == pytest.approx(3, abs=0.1)


@needs_pgbouncer
def test_queries_are_counted_behind_pgbouncer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    at = {"strategy": "nullpool", "task": "queries", "pooler": work.BEHIND}
    with monkeypatch.context() as patch:
        patch.setattr(work, "QUERIES", (1, 3))
        found = work.WorkCurve().measure(at, server)
    assert all(0 < one < three for one, three in zip(found["query_1"], found["query_3"], strict=True))


def test_the_laws_of_the_readme_are_the_break_even_and_the_length_of_a_task() -> None:
    pool, tasks = section.sentences(RECORD)
    assert pool.startswith(
        "Pool: a pool costs less than NullPool if a worker makes more than 5.0 queries (95 % interval"
    )
    assert "9.8 s under `fork_dispose`, 9.8 s under `forkserver_preload`, 9.8 s under `spawn`" in tasks


def test_a_pool_may_never_break_even() -> None:
    assert work.break_even(RECORD, "spawn") is None
    assert "With spawn, a pool never costs less than NullPool." in "".join(section.section(RECORD))


def test_start_up_is_below_one_per_cent_from_99_times_its_length_on() -> None:
    assert work.overhead(RECORD, "spawn") == pytest.approx(0.099)
    assert work.long_enough(0.099) == pytest.approx(9.801)
    assert work.off(RECORD, "spawn") == pytest.approx(0)
    assert "| spawn | 99.0 | 99.0% | 90.8% | 49.7% | 9.0% | 1.0% | 9.8 s | 0% |" in "".join(
        section.section(RECORD)
    )


def test_a_worker_that_is_replaced_after_some_tasks_spends_start_and_end_once() -> None:
    assert work.tasks_enough(0.099, 0.1) == 99
    page = "".join(section.section(RECORD))
    assert "| spawn | 9801 | 981 | 99 | 10 | 1 |" in page


def test_a_worker_with_a_longer_task_than_expected_is_seen() -> None:
    points = [*RECORD.points[:6], task("spawn", 0.001), task("spawn", 0.1), task("spawn", 1.0, 0.2)]
    assert work.off(CurveRecord(PROVENANCE, points), "spawn") == pytest.approx(0.101 / 1.2)


def test_the_life_of_a_worker_is_its_start_its_task_and_its_end(server: Server) -> None:
    found = work.WorkCurve().measure({"strategy": "fork_dispose", "task": 0.1}, server)
    assert len(found["life"]) == work.WORKERS
    assert all(life > first + 0.1 for first, life in zip(found["first"], found["life"], strict=True))
