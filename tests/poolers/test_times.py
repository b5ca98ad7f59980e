"""Times over each route: workers of one parent in turns, counts that repeat, and their page."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from harness import drivers
from harness.lifecycles.messages import LifecycleReport
from harness.poolers import cells, report, summary, times
from harness.poolers.figures import (
    PoolerOutcome,
    PoolersRecord,
    PoolerTimes,
    PoolerTrials,
    RouteFigures,
    load,
    name,
)
from harness.poolers.things import DIRECT, POOLS, ROUTES, SESSION, TRANSACTION, WORKS
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


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        (("outcome",), "done", ""),
        (("outcome",), "hung", "the worker hung"),
        (("exitcode",), 1, "the worker done, exit status 1"),
        (("worker", "rows", 1, 0), "other", "did not return its own token"),
        (("worker", "ppid"), 8, "was not forked by its parent"),
        (("worker", "mark"), None, "was not forked by its parent"),
    ],
)
def test_each_defect_is_found(path: tuple[Any, ...], value: Any, wrong: str) -> None:
    found = times.finding(cast(LifecycleReport, with_value(GOOD, path, value)), "token", 7)
    assert wrong in found if wrong else not found


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
    assert cells.merged(rows, in_full=True) == shown


def example() -> PoolersRecord:
    """Trials and times of psycopg2, on Python 3.11."""
    provenance = Provenance("2.1.9", "2026-11-29", python="3.11.7")
    samples = (0.02,) * 6
    rows = [
        RouteFigures("psycopg2", pool, route, samples, (0.004,) * 6, (0.5,) * 6, (0.25,) * 6, (5, 3), (1, 8))
        for pool in POOLS
        for route in ROUTES
    ]
    tried = [outcome("psycopg2", pool, route, f"words of {route}") for pool in POOLS for route in ROUTES]
    tried += [PoolerOutcome("set", "local", TRANSACTION, pool, "psycopg2", {WORKS: 1}) for pool in POOLS]
    return PoolersRecord(
        {"1.18.0": PoolerTrials(provenance, {"psycopg2": "2.9.13"}, 1, tuple(tried))},
        {"1.18.0": PoolerTimes(provenance, {"psycopg2": "2.9.13"}, 6, 12, tuple(rows))},
    )


def test_the_page_shows_a_record() -> None:
    page = report.render(example())
    assert "| psycopg2 | NullPool | first | 20.0 ±0 | 20.0 ±0, 0.50 (0.50 to 0.50) |" in page
    assert "|  |  | next | 4.0 ±0 | 4.0 ±0, 0.25 (0.25 to 0.25) |" in page
    assert "| `SET` | `SET` | error |" in page
    assert "- `words of transaction` (psycopg2)" in page
    assert "except `SET`: words of session (1.18.0)." in page


def test_a_driver_s_sentences_say_what_breaks_what_works_instead_and_what_it_costs() -> None:
    broken, cost = summary.sentences(example(), drivers.PSYCOPG2, "3.11", TRANSACTION)
    where = "PgBouncer 1.18.0 in transaction mode with psycopg2 under Python 3.11"
    assert broken == f"{where} breaks SET (works: SET LOCAL in each transaction)."
    assert cost.startswith(where)
    assert "the first row takes 0.50 times as long as directly" in cost
    assert "4.0 ms instead of 4.0 ms" in cost


def test_what_was_tried_under_another_python_or_with_another_driver_is_not_passed_off() -> None:
    not_tried, broken, not_measured, cost = summary.sentences(
        example(), drivers.PSYCOPG2, "3.14", TRANSACTION
    )
    assert (not_tried, not_measured) == ("Not tried under Python 3.14.", "Not measured under Python 3.14.")
    assert "under Python 3.11 breaks" in broken
    assert "under Python 3.11, without a pool" in cost
    for record, driver in ((example(), drivers.ASYNCPG), (None, drivers.PSYCOPG2)):
        sentences = summary.sentences(record, driver, "3.11", SESSION)
        assert sentences == [f"PgBouncer in session mode with {driver.title}: not tried."]


def test_what_was_tried_and_measured_under_a_python_is_said_of_it_alone() -> None:
    record, newer = example(), Provenance("2.1.9", python="3.14.1")
    (tried,), (timed,) = record.trials.values(), record.times.values()
    slower = tuple(replace(row, first_ratio=(0.9,) * 6) for row in timed.rows)
    key = name("1.18.0", "3.14")
    both = PoolersRecord(
        {**record.trials, key: replace(tried, provenance=newer, rows=tried.rows[-2:])},
        {**record.times, key: replace(timed, provenance=newer, rows=slower)},
    )
    (cost,) = summary.sentences(both, drivers.PSYCOPG2, "3.14", TRANSACTION)
    assert "under Python 3.14, without a pool in the program: the first row takes 0.90 times" in cost
    for python in ("3.11", "3.12"):
        assert summary.sentences(both, drivers.PSYCOPG2, python, TRANSACTION) == summary.sentences(
            record, drivers.PSYCOPG2, python, TRANSACTION
        )
    reference, other = report.render(both).split("\n### Under Python 3.14\n")
    assert "0.90 (0.90 to 0.90)" in other
    assert "0.90 (0.90 to 0.90)" not in reference
    assert "Under Python 3.14 the outcomes are the same, without an exception: 1 of each" in other


ADVISED = [
    ("numbered", "none", TRANSACTION, True),
    ("set", "local", TRANSACTION, True),
    ("lock", "transaction", TRANSACTION, True),
    ("set", "usual", TRANSACTION, False),
    ("lock", "usual", TRANSACTION, False),
    ("temporary", "usual", TRANSACTION, False),
    ("listen", "usual", TRANSACTION, False),
    ("set", "usual", SESSION, True),
    ("lock", "usual", SESSION, True),
    ("temporary", "usual", SESSION, True),
    ("listen", "usual", SESSION, True),
    ("fork", "dropped", TRANSACTION, True),
    ("fork", "dropped", SESSION, True),
    ("fork", "used", SESSION, False),
]
"""What the page's first sentences say of a pool in the program: thing, way, mode, and whether it works."""


@pytest.mark.parametrize(("thing", "way", "mode", "works"), ADVISED)
def test_the_advice_is_what_the_record_says_of_every_driver_and_pgbouncer(
    thing: str, way: str, mode: str, works: bool
) -> None:
    record = load()
    assert record
    rows = [
        row
        for tried in record.trials.values()
        for driver in tried.drivers
        if (row := tried.find(thing, way, mode, "QueuePool", driver))
    ]
    assert rows
    assert {row.works for row in rows} == {works}
