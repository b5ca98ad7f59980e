"""Causes of a step: changes are named, and told apart from those of the garbage collector alone."""

import json
import subprocess
import sys
from dataclasses import asdict, replace

import pytest
import sqlalchemy

from harness.counts.count import Counts
from harness.counts.observe import PHASES
from harness.history import causes, causes_report, detect
from harness.history.causes import CountedRelease, explain
from harness.history.change_point import ReleasePair
from harness.history.sensitivity.injected import EXTRA_STATEMENT
from tests.support.environments import NOTHING, environment_with

RELEASE = sqlalchemy.__version__
START, FIRST, SECOND = PHASES

COUNTS = Counts(
    strategy="spawn",
    release="2.0.1",
    python="3.11.7",
    c_extensions=True,
    statements={FIRST: ["BEGIN", "select  1\n", "ROLLBACK"], SECOND: ["select 1"]},
    round_trips={FIRST: 5, SECOND: 1},
    code={"sqlalchemy": 100, "sqlalchemy.pool": 200, "typing": 50},
    calls={
        FIRST: {"sqlalchemy.pool:Pool.connect": 3, "re:compile": 4},
        SECOND: {"sqlalchemy.pool:Pool.connect": 3},
    },
    collections={phase: [1, 0, 0] for phase in PHASES},
)
BEFORE = CountedRelease(
    COUNTS,
    code=COUNTS.code,
    calls={START: {"typing:cast": 7}, **COUNTS.calls},
    collections={phase: [1, 0, 0] for phase in PHASES},
    held={"typing": 9000},
)


def other(**counts):
    """The same worker with the next release, but for what is given."""
    changed = replace(COUNTS, release="2.0.2", **counts)
    return replace(BEFORE, counts=changed, code=changed.code)


def text(explanation):
    """All lines of an explanation as one, however they are wrapped."""
    return " ".join(" ".join(causes_report.lines(explanation)).split())


def test_nothing_changed():
    found = explain(BEFORE, other())
    assert not any((found.figures, found.packages, found.modules_changed, found.held, found.collections))
    assert "exactly the same" in text(found)


def test_an_upgrade_to_2_1_first_says_which_driver_a_url_means():
    found = explain(BEFORE, other())
    assert "psycopg 3" not in text(found)
    lines = list(causes_report.lines(replace(found, after="2.1.0")))
    assert lines[2].startswith("From SQLAlchemy 2.1 on, postgresql:// means psycopg 3")


def test_a_moved_collection_is_distinguished_from_changed_work():
    found = explain(BEFORE, replace(other(), collections={**BEFORE.collections, FIRST: [0, 0, 1]}))
    assert found.collections == {FIRST: ((1, 0, 0), (0, 0, 1))}
    assert found.collector_alone == (FIRST,)
    assert "the collector alone" in text(found)


@pytest.mark.parametrize(
    ("phase", "change"),
    [
        (FIRST, {"statements": {**COUNTS.statements, FIRST: [*COUNTS.statements[FIRST], "select 2"]}}),
        (START, {"code": {**COUNTS.code, "typing": 51}}),
    ],
)
def test_a_collection_beside_other_work_is_not_the_collector_alone(phase, change):
    found = explain(BEFORE, replace(other(**change), collections={**BEFORE.collections, phase: [2, 0, 0]}))
    assert found.collector_alone == ()
    assert "beside other work" in text(found)


def test_modules_calls_and_statements_are_named():
    calls = {FIRST: {"sqlalchemy.pool:Pool.connect": 5, "json:loads": 1}, SECOND: COUNTS.calls[SECOND]}
    after = other(
        code={"sqlalchemy": 100, "sqlalchemy.pool": 210, "json": 70},
        statements={FIRST: ["BEGIN", "select 1", "show all", "ROLLBACK"], SECOND: ["select 1"]},
    )
    found = explain(BEFORE, replace(after, calls={START: {}, **calls}, held={"typing": 9000, "json": 5000}))
    assert found.modules_added == (("json", 0, 70),)
    assert found.modules_left_out == (("typing", 50, 0),)
    assert found.modules_changed == (("sqlalchemy.pool", 200, 210),)
    assert found.calls[FIRST] == (
        ("re:compile", 4, 0),
        ("sqlalchemy.pool:Pool.connect", 3, 5),
        ("json:loads", 0, 1),
    )
    assert found.calls_by_module[START] == (("typing", 7, 0),)
    assert found.statements_added[FIRST] == ("show all",)
    assert found.statements_left_out[FIRST] == ()
    assert found.held == (("json", 0, 5000),)


@pytest.mark.parametrize(
    ("release", "address"),
    [
        ("1.4.42", "https://docs.sqlalchemy.org/en/20/changelog/changelog_14.html#change-1.4.42"),
        ("2.0.10", "https://docs.sqlalchemy.org/en/20/changelog/changelog_20.html#change-2.0.10"),
        ("2.1.0", "https://docs.sqlalchemy.org/en/21/changelog/changelog_21.html#change-2.1.0"),
    ],
)
def test_the_change_log_of_the_series(release, address):
    assert causes.changelog(release) == address


def test_an_explanation_replaces_an_older_one(tmp_path, monkeypatch):
    monkeypatch.setattr(causes, "PATH", tmp_path / "causes.json")
    assert causes.load() == []
    first, second = explain(BEFORE, other()), explain(BEFORE, other(code={"typing": 1}))
    later = replace(first, before="2.0.2", after="2.0.10")
    for found in (later, first, second):
        causes.record(found)
    assert causes.load() == [second, later]


def test_a_step_is_explained_once_for_each_strategy():
    known = explain(BEFORE, other())
    steps = [
        ReleasePair("2.0.1", "2.0.2", metric, strategy, dataframe)
        for strategy in ("spawn", "nullpool")
        for metric in ("uss", "startup")
        for dataframe in ("none", "large")
    ]
    assert causes.unexplained(steps, [known]) == [("2.0.1", "2.0.2", "nullpool")]


def test_every_step_of_the_history_has_its_cause_on_record():
    steps = detect.recorded_change_points().steps
    assert steps
    assert causes.unexplained((step.release_pair for step in steps), causes.load()) == []


def test_every_recorded_explanation_fits_a_terminal():
    recorded = causes.load()
    assert recorded
    for found in recorded:
        assert all(
            len(line) <= causes_report.WIDTH or line.startswith("https:")
            for line in causes_report.lines(found)
        )
        assert json.loads(json.dumps(asdict(found)))


def test_an_injected_statement_is_named_with_the_function_that_sends_it(server, tmp_path):
    before, after = (
        causes.count_release(
            "fork_dispose", server, release=RELEASE, python=environment_with(tmp_path / name, change)
        )
        for name, change in (("before", NOTHING), ("after", EXTRA_STATEMENT))
    )
    assert explain(before, after).figures == ()
    before, after = (
        causes.count_release("spawn", server, release=RELEASE, python=tmp_path / name / "bin" / "python")
        for name in ("before", "after")
    )
    found = explain(before, after)
    assert found.statements_added == {FIRST: ("select 4711",), SECOND: ()}
    assert [name for name, _, _ in found.modules_changed] == ["sqlalchemy.dialects.postgresql.base"]
    assert any(name.endswith(":Connection.exec_driver_sql") for name, _, _ in found.calls[FIRST])
    assert not any((found.modules_added, found.modules_left_out, found.calls[START], found.calls[SECOND]))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["2.0.0", "2.0.999"], "no release '2.0.999'"),
        (["2.0.0", "2.0.1", "--strategy", "magic"], "no strategy 'magic'"),
    ],
)
def test_a_mistake_is_one_line(arguments, reason):
    done = subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", "explain", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert reason in line
