"""Every check reports what it is for, and passes for every strategy of the catalogue."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness import strategies
from harness.lifecycles import checks, parent_handle
from harness.lifecycles.cell import Cell
from harness.lifecycles.checks import Evidence
from harness.lifecycles.messages import WorkerReport
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.profile import PROFILES, Profile
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.processes.errors import Rejected
from harness.processes.supervision import Supervision
from harness.system.memory import MIB
from tests.support import broken_strategies

PROFILE = replace(PROFILES["quick"], dataframe_mib=64, deadline=120)


def one(server: Server, strategy: str, dataframe: str = "none", profile: Profile = PROFILE) -> Lifecycle:
    with (
        Supervision() as supervision,
        ParentHandle(Cell(strategy, dataframe), server, profile, supervision) as parent,
    ):
        return next(parent.lifecycles(1))


@pytest.mark.parametrize(
    ("strategy", "dataframe"),
    # The others with a DataFrame are measured in tests/whole/test_asv_run.py.
    [*((name, "none") for name in strategies.IDS), ("fork_dispose", "large"), ("spawn", "large")],
)
def test_every_strategy_of_the_catalogue_passes_every_check(
    server: Server, strategy: str, dataframe: str
) -> None:
    life = one(server, strategy, dataframe)
    assert life.first
    whole = life.values["startup"] + life.values["first_query"]
    assert life.values["time_to_first_row"] == pytest.approx(whole)
    assert life.driver_to_preload == ""


@pytest.mark.parametrize(
    ("broken", "finding"),
    [
        ("FORGETS_TO_DISPOSE", "the worker used the parent's backend"),
        ("DOES_NOT_SHARE", "the worker did not use the parent's backend"),
        ("WRONG_ROW", "not its own token"),
        ("CLOSES", "the parent failed"),
        ("EXITS_BADLY", "the worker exited with 3"),
        ("LEAVES_BEHIND", "2 sessions are left where 1 were; still running"),
        ("CARRIES_FREIGHT", "bytes were pickled to the worker"),
        ("IMPORTS_PANDAS", "the worker imported pandas"),
        ("FAILS", "the worker failed: RuntimeError: a worker of the tests fails"),
        ("DIES", "the worker failed"),
    ],
)
def test_a_broken_strategy_is_rejected_with_the_reason(
    server: Server, monkeypatch: pytest.MonkeyPatch, broken: str, finding: str
) -> None:
    monkeypatch.setattr(parent_handle, "SETTLE_DEADLINE_S", 1.0)
    # The parent waits until the deadline for the end of a worker that leaves a process behind.
    deadline = 20 if broken == "LEAVES_BEHIND" else PROFILE.deadline
    with pytest.raises(Rejected, match=finding):
        one(server, broken_strategies.path(broken), profile=replace(PROFILE, deadline=deadline))


def test_a_hung_worker_is_killed_at_its_deadline_and_reported_as_hung(server: Server) -> None:
    with pytest.raises(Rejected, match="the worker hung: no answer in 1 s, so it was killed"):
        one(server, broken_strategies.path("HANGS"), profile=replace(PROFILE, deadline=1))


@pytest.fixture(scope="module")
def evidence(server: Server) -> Evidence:
    """The evidence of one real lifecycle with a DataFrame, as the checks received it."""
    caught: list[Evidence] = []

    def catch(found: Evidence) -> list[str]:
        caught.append(found)
        return checks.findings(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parent_handle, "findings", catch)
        one(server, "fork_dispose", "large")
    return caught[0]


def with_worker(e: Evidence, **changes: Any) -> Evidence:
    return replace(e, report={**e.report, "worker": {**e.worker, **changes}})


def with_report(e: Evidence, **changes: Any) -> Evidence:
    return replace(e, report={**e.report, **changes})


def with_parent(e: Evidence, **changes: Any) -> Evidence:
    return replace(e, parent={**e.parent, **changes})


def under(e: Evidence, strategy: str) -> Evidence:
    return replace(e, strategy=strategies.get(strategy))


def backends(e: Evidence, first: int, second: int) -> Evidence:
    token = e.report["token"]
    return with_worker(e, rows=[[token, first], [token, second]])


DOCTORED: list[tuple[Callable[[Evidence], str], Callable[[Evidence], Evidence], str]] = [
    (checks.start_method, lambda e: with_worker(e, mark=None), "started by spawn"),
    (checks.start_method, lambda e: with_worker(e, mark=None, ppid=1), "started by forkserver"),
    (checks.start_method, lambda e: with_worker(e, ppid=1), "started by an unknown method"),
    (
        checks.driver,
        lambda e: with_parent(e, driver={"implementation": "python"}),
        "the implementation of psycopg2 was python",
    ),
    (checks.preloaded, lambda e: under(e, "forkserver_preload"), "SQLAlchemy was not preloaded"),
    (
        checks.preloaded,
        lambda e: under(with_worker(e, preloaded=True), "forkserver"),
        "SQLAlchemy was preloaded",
    ),
    (checks.order, lambda e: with_worker(e, started=e.report["called"]), "between called and started"),
    (checks.order, lambda e: with_worker(e, first_row=e.worker["usable"] - 1), "between usable and"),
    (checks.order, lambda e: with_report(e, returned=e.report["called"]), "did not return between"),
    (checks.rows, lambda e: with_worker(e, rows=[["x", 1], ["x", 1]]), "not its own token"),
    (checks.backend, lambda e: backends(e, e.report["backend_before"], 1), "used the parent's backend"),
    (checks.checkouts, lambda e: backends(e, 1, 2), "two checkouts saw"),
    (checks.checkouts, lambda e: under(e, "nullpool"), "two checkouts saw"),
    (checks.parent_answers, lambda e: with_report(e, row_after=["x", 1]), "instead of its own row"),
    (
        checks.parent_answers,
        lambda e: with_report(e, row_after=[e.report["token"], 1]),
        "lost its connection",
    ),
    (checks.frame, lambda e: replace(e, dataframe_mib=2 * e.dataframe_mib), "MiB instead of 128"),
    (checks.frame, lambda e: with_report(e, parent_uss=0), "no longer resident"),
    (checks.sessions, lambda e: replace(e, sessions_after=frozenset({1, 2, 3})), "3 sessions are left"),
    (checks.reaped, lambda e: with_report(e, exitcode=-9), "exited with -9"),
    (checks.reaped, lambda e: replace(e, left_over=("4242 (sleep)",)), "still running: 4242"),
    # The opposite and the boundary of each.
    (checks.order, lambda e: with_report(e, returned=e.report["reaped"]), "did not return between"),
    (
        checks.backend,
        lambda e: under(backends(e, 1, 1), "fork_nodispose"),
        "did not use the parent's backend",
    ),
    (
        checks.parent_answers,
        lambda e: with_report(e, row_after=[e.report["token"], e.report["backend_before"] + 1]),
        "lost its connection",
    ),
    (checks.frame, lambda e: with_parent(e, frame_resident=32 * MIB), "takes 32 MiB instead of 64"),
    (checks.frame, lambda e: with_parent(e, frame_resident=81 * MIB), "takes 81 MiB instead of 64"),
    (checks.frame, lambda e: with_report(e, pickled=16 * 1024 + 1), "16385 bytes were pickled"),
    (checks.frame, lambda e: under(with_worker(e, pandas=True), "spawn"), "imported pandas"),
    (checks.sessions, lambda e: replace(e, sessions_after=frozenset()), "0 sessions are left where 1 were"),
]

SILENT: list[tuple[Callable[[Evidence], str], Callable[[Evidence], Evidence]]] = [
    (checks.preloaded, lambda e: with_worker(e, preloaded=True)),
    (checks.preloaded, lambda e: under(with_worker(e, preloaded=True), "spawn")),
    (checks.checkouts, lambda e: under(backends(e, 1, 2), "nullpool")),
    (checks.parent_answers, lambda e: under(with_report(e, row_after=None), "nullpool")),
    (checks.frame, lambda e: with_parent(e, frame_resident=58 * MIB)),
    (checks.frame, lambda e: with_parent(e, frame_resident=80 * MIB)),
    (checks.frame, lambda e: with_report(e, pickled=16 * 1024)),
    (checks.frame, lambda e: under(with_worker(e, pandas=False), "spawn")),
    (checks.sessions, lambda e: replace(e, sessions_after=frozenset({1}))),
]
"""Evidence that is no reason to reject a lifecycle."""


@pytest.mark.parametrize(("check", "doctor", "finding"), DOCTORED)
def test_a_check_reports_evidence_to_the_contrary(
    evidence: Evidence,
    check: Callable[[Evidence], str],
    doctor: Callable[[Evidence], Evidence],
    finding: str,
) -> None:
    assert check(evidence) == ""
    assert finding in check(doctor(evidence))


@pytest.mark.parametrize(("check", "doctor"), SILENT)
def test_a_check_passes_if_nothing_is_wrong(
    evidence: Evidence,
    check: Callable[[Evidence], str],
    doctor: Callable[[Evidence], Evidence],
) -> None:
    assert check(doctor(evidence)) == ""


def test_every_check_is_covered_by_these_tests() -> None:
    assert {check for check, _, _ in DOCTORED} == set(checks.CHECKS)


PSYCOPG2_PRELOADED = ["sys", "sqlalchemy.dialects.postgresql.psycopg2", "psycopg2", "psycopg2.extras"]

PSYCOPG = ["sqlalchemy.dialects.postgresql.psycopg", "psycopg"]

OF_WORKER = ["harness", "harness.lifecycles", "harness.lifecycles.inside"]


@pytest.mark.parametrize(
    ("imported", "driver", "expected"),
    [
        ([*PSYCOPG2_PRELOADED, *OF_WORKER], "psycopg2", ""),
        ([*PSYCOPG2_PRELOADED, *OF_WORKER, *PSYCOPG], "psycopg", "psycopg"),
        (["sqlalchemy.dialects.postgresql.psycopg2", *OF_WORKER, "psycopg2"], "psycopg2", "psycopg2"),
        (["psycopg2", *OF_WORKER, "sqlalchemy.dialects.postgresql.psycopg2"], "psycopg2", "psycopg2"),
    ],
)  # fmt: skip
def test_a_driver_that_the_worker_imported_itself_was_not_preloaded(
    imported: list[str], driver: str, expected: str
) -> None:
    worker = WorkerReport(imported=imported, driver=driver)  # type: ignore[typeddict-item]
    assert checks.driver_to_preload(strategies.get("forkserver_preload"), worker) == expected
    assert checks.driver_to_preload(strategies.get("spawn"), worker) == ""
