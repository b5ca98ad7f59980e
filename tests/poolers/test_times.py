"""Times over each route: workers of one parent in turns, counts that repeat, and their page."""

import sys
from pathlib import Path
from typing import Any, cast

import pytest

from harness import drivers
from harness.lifecycles.messages import LifecycleReport
from harness.poolers import report, times
from harness.poolers.figures import (
    PoolerOutcome,
    PoolersRecord,
    PoolerTimes,
    PoolerTrials,
    RouteFigures,
    load,
    save,
)
from harness.poolers.things import DIRECT, POOLS, ROUTES, TRANSACTION
from harness.postgres.server import Server
from harness.records.provenance import Provenance
from tests.support.defects import with_value
from tests.support.poolers import needs_pgbouncer

PYTHON = Path(sys.executable)

WORKER = {"rows": [["token", 1], ["token", 2]], "ppid": 7, "mark": "forked"}
GOOD: dict[str, Any] = {"outcome": "done", "exitcode": 0, "worker": WORKER}


@needs_pgbouncer
def test_idle_workers_without_a_pool_keep_no_session_but_one_of_the_pooler(server: Server) -> None:
    counted = times.counted(PYTHON, drivers.PSYCOPG2, "NullPool", server)
    assert [counted[route]["held"] for route in ROUTES] == [[0, 8], [1, 8], [1, 8]]
    # A pooler adds no round trip of the client.
    assert [counted[route]["trips"] for route in ROUTES] == [[5, 5]] * 3


def test_workers_of_all_routes_have_their_figures(server: Server) -> None:
    turns = times.timed(PYTHON, drivers.PSYCOPG2, "NullPool", {DIRECT: server, "again": server}, workers=2)
    figures = times.samples(turns)
    assert figures[DIRECT]["first_ratio"] == figures[DIRECT]["next_ratio"] == 1
    assert all(figures["again"][name] > 0 for name in times.NAMES)


def test_a_good_worker_passes() -> None:
    assert times.finding(cast(LifecycleReport, GOOD), "token", 7) == ""


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        (("outcome",), "hung", "the worker hung"),
        (("exitcode",), 1, "the worker done, exit status 1"),
        (("worker", "rows", 1, 0), "other", "did not return its own token"),
        (("worker", "ppid"), 8, "was not forked by its parent"),
        (("worker", "mark"), None, "was not forked by its parent"),
    ],
)
def test_each_defect_is_found(path: tuple[Any, ...], value: Any, wrong: str) -> None:
    assert wrong in times.finding(cast(LifecycleReport, with_value(GOOD, path, value)), "token", 7)


def outcome(driver: str, pool: str, route: str, text: str) -> PoolerOutcome:
    return PoolerOutcome("set", "usual", route, pool, driver, {text: 1} if text else {})


@pytest.mark.parametrize(
    ("outcomes", "shown"),
    [
        (("a", "a", "a", "a"), "a"),
        (("a", "a", "b", "b"), "a (psycopg2); b (psycopg)"),
        (("a", "b", "a", "b"), "a (QueuePool); b (NullPool)"),
        (("a", "a", "a", "b"), "a (psycopg2, psycopg with QueuePool); b (psycopg with NullPool)"),
        (("", "", "", ""), "not in this version"),
    ],
)
def test_outcomes_of_drivers_and_pools_are_merged(outcomes: tuple[str, ...], shown: str) -> None:
    each = [(driver, pool) for driver in ("psycopg2", "psycopg") for pool in POOLS]
    rows = [outcome(*who, TRANSACTION, text) for who, text in zip(each, outcomes, strict=True)]
    assert report.merged(rows) == shown


def test_a_record_is_read_back_as_written_and_its_page_shows_it(tmp_path: Path) -> None:
    provenance = Provenance("2.1.9", "2026-11-29")
    samples = (0.02,) * 6
    rows = [
        RouteFigures("psycopg2", pool, route, samples, (0.004,) * 6, (0.5,) * 6, (0.25,) * 6, (5, 3), (1, 8))
        for pool in POOLS
        for route in ROUTES
    ]
    tried = [outcome("psycopg2", pool, route, f"words of {route}") for pool in POOLS for route in ROUTES]
    record = PoolersRecord(
        {"1.18.0": PoolerTrials(provenance, {"psycopg2": "2.9.13"}, 1, tuple(tried))},
        {"1.18.0": PoolerTimes(provenance, {"psycopg2": "2.9.13"}, 6, 12, tuple(rows))},
    )
    save(record, tmp_path / "poolers.json")
    assert load(tmp_path / "poolers.json") == record
    page = report.render(record)
    assert "| psycopg2 | NullPool | transaction | 20.0 ±0 | 0.50 (0.50 to 0.50) | 4.0 ±0 | 0.25 (" in page
    assert "| `SET` | `SET` | words of transaction |" in page
    assert "except `SET`: words of session (1.18.0)." in page
    sentence = "the first row takes 0.50 times as long as directly, and each further query 4.0 ms instead of"
    assert sentence in report.sentences(record.times)["psycopg2"]
