"""What is printed: it fits on a screen, and its fixes are code."""

import ast
import itertools
from collections.abc import Iterator

import pytest

from harness.doctor import detected, explain, fixes, report
from harness.doctor.evidence.inside import Reported
from harness.doctor.findings import Certainty, Finding, count
from harness.doctor.judge import processes, reports
from harness.doctor.run import Observed
from harness.lookalikes import catalogue as lookalikes

COLUMNS, ROWS = 80, 24

BY = (*fixes.FRAMEWORKS, *fixes.CALLED, *fixes.FIRST)

FINDING = Finding("shared_socket", Certainty.RISK, "", (), "", "")


def all_fixes() -> Iterator[str]:
    for by in BY:
        yield fixes.own_connections(by)
        yield fixes.own_connections(by, "app.py:12 <module>", "shop.db:engine.sync_engine")
        yield fixes.own_connections(by, "app.py:12 <module> (Flask-SQLAlchemy)")
        yield from (
            fixes.background(library, by) for library in ("psycopg_pool", "apscheduler", "logging", "")
        )
        yield from (fixes.lock(hazard, by) for hazard in ("pool_lock", "import_lock", "native_lock"))
        yield from (fixes.orphan(by), fixes.one_engine(by), fixes.own_signals(by), fixes.kept_pool(by))
        yield from (fixes.own_generator("generator", by), fixes.new_pool(by, "app:pool"))
        yield fixes.either_pool(by)
    yield from (fixes.PRELOADED, fixes.COMMIT, fixes.PASSED_URL, fixes.opened_by("psycopg2"))


def test_a_fix_is_python_and_fits_on_a_line() -> None:
    for fix in dict.fromkeys(all_fixes()):
        ast.parse(fix)
        for line in report.finding_lines([Finding("shared_socket", Certainty.RISK, "", (), fix, "")]):
            assert len(line) < COLUMNS, fix


def reported(event: str, pid: int, **fields: object) -> Reported:
    return Reported(event, pid, next(CLOCK), fields)


CLOCK = itertools.count()


def three_findings() -> list[Finding]:
    """Of a program with gunicorn, whose workers were forked in a transaction and drew the same numbers."""
    where = {"opened": "applications.py:112 create_app", "opener": 4711, "place": "applications.py:96 orders"}
    fork = reported("fork", 4711, place="inside gunicorn (arbiter.py:640 spawn_worker)", by="gunicorn")
    forked = [reported("forked", pid, parent=4711) for pid in (4712, 4713)]
    uses = [
        reported("used", pid, engine="database.py:14 <module>", name="shop.database:engine", **where)
        for pid in (4712, 4713)
    ]
    lost = reported("returned", 4712, transaction=True, **where)
    drawn = [
        reported("drawn", pid, generator="shop.keys:generator", state="1", place="shop.keys:generator")
        for pid in (4712, 4713)
    ]
    return reports.judge([fork, *forked, *uses, lost, *drawn])


def test_three_findings_fit_on_a_screen() -> None:
    findings = three_findings()
    assert len(findings) == 3
    lines = report.observed_lines(Observed(0, findings, 3, 2, 12, (), {4712: 0.02, 4713: 0.5}))
    # An empty line before them, and the prompt after them.
    assert len(lines) + 2 <= ROWS, "\n".join(lines)
    assert all(len(line) < COLUMNS for line in lines)
    text = "\n".join(lines)
    assert "over 0.02 to 0.50 s after its fork" in text
    for finding in findings:
        assert finding.hazard in text
        assert finding.fix.splitlines()[-1] in text


def test_the_exit_status_counts_what_is_sure_and_risks_if_strict() -> None:
    fact = Finding("max_connections", Certainty.FACT, "", (), "", "")
    proven = Finding("shared_socket", Certainty.PROVEN, "", (), "", "")
    assert [count([FINDING, fact], strict) for strict in (False, True)] == [0, 1]
    assert [count([FINDING, fact, proven], strict) for strict in (False, True)] == [1, 2]


def test_whatever_is_found_can_be_explained() -> None:
    for name in (*detected.table(), *lookalikes.IDS):
        text = "\n".join(explain.lines(name))
        assert text.startswith(f"{name}: ")
        assert "What to do: " in text, name


def signal(**fields: object) -> Reported:
    return Reported(
        "signal", 1, 10**9, {"worker": 2, "signal": 15, "heard": False, "place": "app.py:3 f", **fields}
    )


FORKED = Reported("forked", 2, 5, {"parent": 1})


@pytest.mark.parametrize(
    ("extra", "alive"),
    [
        ([Reported("handles", 2, 6, {"signal": 15})], 9.0),
        ([], 1.5),
        ([], None),
    ],
    ids=["a handler of its own", "it has ended", "it is not known"],
)
def test_signals_that_a_worker_may_catch(extra: list[Reported], alive: float | None) -> None:
    seen = {} if alive is None else {2: alive}
    assert processes.signals([FORKED, *extra, signal()], seen) == []


@pytest.mark.parametrize(
    ("heard", "alive", "certainty"),
    [(False, 9.0, Certainty.CERTAIN), (True, 2.5, Certainty.CERTAIN), (False, 2.5, Certainty.RISK)],
)
def test_a_worker_that_lives_on_after_a_copied_handler_was_called(
    heard: bool, alive: float, certainty: Certainty
) -> None:
    """The signal comes after one second. A handler that ends the worker may take some time."""
    [finding] = processes.signals([FORKED, signal(heard=heard)], {2: alive})
    assert (finding.hazard, finding.certainty) == ("copied_signals", certainty)
    assert processes.signals([signal()], {2: 9.0}) == []


def test_numbers_that_one_process_alone_has_drawn_are_nobodys_copy() -> None:
    alone = [
        reported("drawn", 2, generator="app:g", state="1"),
        reported("drawn", 3, generator="app:g", state="2"),
    ]
    assert processes.judge(alone) == []


def test_what_happens_many_times_at_one_place_is_reported_once() -> None:
    started = [
        Reported("started", 1, at, {"place": place, "opened": "app.py:1"})
        for at, place in enumerate(("app.py:5 main", "app.py:5 main", "app.py:9 main"))
    ]
    findings = processes.judge(started)
    assert [finding.evidence[-1].split()[1] for finding in findings] == ["app.py:5", "app.py:9"]
