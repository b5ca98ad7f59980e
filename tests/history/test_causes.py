"""Causes of a step: changes are named, and distinguished from those of the garbage collector alone."""

import csv
import json
import platform
import re
from dataclasses import replace

import pytest
import sqlalchemy
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.counts.count import Counts
from harness.counts.observe import PHASES
from harness.history import causes, causes_record, causes_report, changes
from harness.history.causes import CountedRelease, explain
from harness.history.causes_report import MetricStep
from harness.history.paired import PairedChange
from harness.history.sensitivity.injected import EXTRA_STATEMENT, NOTHING
from harness.releases import interpreters
from tests.support.environments import environment_with

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
    return " ".join(causes_report.summary(explanation))


def test_nothing_changed():
    found = explain(BEFORE, other())
    assert not any((found.figures, found.packages, found.modules_changed, found.held, found.collections))
    assert "exactly the same" in text(found)


def test_an_upgrade_to_2_1_first_says_which_driver_a_url_means(capsys):
    found = explain(BEFORE, other())
    causes_report.show(found)
    assert "psycopg 3" not in capsys.readouterr().out
    causes_report.show(replace(found, after="2.1.0"))
    lines = capsys.readouterr().out.splitlines()
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
    monkeypatch.setattr(causes_record, "PATH", tmp_path / "causes.json")
    assert causes_record.load() == []
    first, second = explain(BEFORE, other()), explain(BEFORE, other(code={"typing": 1}))
    later = replace(first, before="2.0.2", after="2.0.10")
    for found in (later, first, second):
        causes_record.record(found)
    assert causes_record.load() == [second, later]


def test_a_step_is_explained_once_for_each_strategy():
    known = explain(BEFORE, other())
    steps = [
        PairedChange("2.0.1", "2.0.2", metric, strategy, dataframe, 1.1, 1.09, 1.11, 0.0, 20, 0.01, "here")
        for strategy in ("spawn", "nullpool")
        for metric in ("uss", "startup")
        for dataframe in ("none", "large")
    ]
    assert causes_record.unexplained(steps, [known]) == [("2.0.1", "2.0.2", "nullpool")]


def levels(metric, strategy, dataframe):
    return {"time_to_first_row": 0.2, "first_query": 0.03, "second_query": 0.001, "engine": 0.02}.get(
        metric, 0
    )


def step(metric, before, after, strategy="spawn"):
    return MetricStep(metric, strategy, "none", before, after)


def explained_by(figures=(), **fields):
    return replace(explain(BEFORE, other()), figures=figures, **fields)


@pytest.mark.parametrize(
    ("figures", "found", "known"),
    [
        # 2 calls more of 123 do not make a query 9 % slower.
        ((("calls_second_query", 123, 125),), step("second_query", 0.001, 0.00109), False),
        ((("calls_second_query", 123, 130),), step("second_query", 0.001, 0.00109), True),
        # Fewer calls do not make anything slower.
        ((("calls_second_query", 130, 123),), step("second_query", 0.001, 0.00109), False),
        # Calls of another query.
        ((("calls_first_query", 123, 250),), step("second_query", 0.001, 0.00109), False),
        ((("round_trips_first_query", 5, 6),), step("first_query", 0.03, 0.036), True),
        # 1 % more code is 2 ms of a start that takes 200 ms, and most of an engine's step of 2 ms.
        ((("code_bytes", 6_000_000, 6_060_000),), step("engine", 0.02, 0.022), True),
        ((("code_bytes", 6_000_000, 6_060_000),), step("startup", 0.13, 0.15), False),
        ((("code_bytes", 6_000_000, 6_060_000),), step("uss", 30e6, 30.1e6), True),
        ((("code_bytes", 6_000_000, 6_060_000),), step("exit", 0.1, 0.2), False),
    ],
)
def test_a_count_explains_a_step_only_if_it_accounts_for_half_of_it(figures, found, known):
    assert causes_report.unknown(explained_by(figures), [found], levels) == ([] if known else [found])


def test_held_memory_explains_a_step_of_memory_and_of_nothing_else():
    held = explained_by(held=(("typing", 9000, 109_000),))
    steps = [step("uss", 30e6, 30.15e6), step("uss", 30e6, 30.3e6), step("engine", 0.02, 0.03)]
    assert causes_report.unknown(held, steps, levels) == steps[1:]


def test_a_collection_of_old_objects_explains_a_step_and_one_of_young_objects_does_not():
    found = step("uss", 30e6, 33e6)
    old, young = (
        explained_by(collections={FIRST: (before, after)})
        for before, after in [((1, 0, 0), (1, 1, 0)), ((1, 0, 0), (2, 0, 0))]
    )
    assert causes_report.unknown(old, [found], levels) == []
    assert causes_report.unknown(young, [found], levels) == [found]


def test_steps_of_another_strategy_are_not_asked_of_an_explanation():
    assert causes_report.unknown(explained_by(), [step("uss", 1e6, 2e6, "nullpool")], levels) == []


def test_the_summary_begins_with_the_steps_whose_cause_is_unknown():
    steps = [step("engine", 0.02, 0.021), step("engine", 0.02, 0.022), step("uss", 1e6, 1.5e6)]
    found = explained_by((("calls_second_query", 123, 125),))
    assert causes_report.summary(found, steps) == [
        "cause unknown: engine +5.0 % to +10.0 %, unique memory +50.0 %",
        "125 instead of 123 calls of Python functions in the second query (+1.6%)",
    ]


def test_what_is_on_record_is_shown_before_anything_is_counted(monkeypatch):
    def install(release):
        raise LookupError(release)

    monkeypatch.setattr(interpreters, "of_release", install)
    asked = ["explain", "2.0.58", "2.1.0", "--strategy", "fork_dispose"]
    done = CliRunner().invoke(app, asked)
    assert (done.exit_code, done.stderr) == (0, "fork_dispose: on record; --fresh counts again\n")
    assert "cause unknown: " in done.stdout
    fresh = CliRunner().invoke(app, [*asked, "--fresh"])
    assert isinstance(fresh.exception, LookupError)
    assert fresh.output == ""


def test_an_explanation_of_another_python_is_not_this_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(causes_record, "PATH", tmp_path / "causes.json")
    version = platform.python_version()
    causes_record.record(replace(explained_by(), python=version))
    causes_record.record(replace(explained_by(), strategy="nullpool", python="3.1.4"))
    assert list(causes_record.recorded("2.0.1", "2.0.2", ["spawn", "nullpool"])) == ["spawn"]
    assert causes_record.recorded("2.0.2", "2.0.3", ["spawn"]) == {}


def test_every_format_has_the_explanations_and_the_unknown_steps(capsys):
    found = causes_record.recorded("2.0.58", "2.1.0", ["fork_dispose", "spawn"])
    if not found:
        pytest.skip("the causes on record are of another Python")
    printed = {}
    for form in ("json", "csv", "markdown"):
        causes_report.write(list(found.values()), list(found), form)
        printed[form] = capsys.readouterr().out
    explained = json.loads(printed["json"])
    assert list(explained) == ["fork_dispose", "spawn"]
    assert {each["metric"] for each in explained["fork_dispose"]["unknown"]} >= {"rss"}
    rows = list(csv.DictReader(printed["csv"].splitlines()))
    assert tuple(rows[0]) == causes_report.COLUMNS
    assert printed["markdown"].count("- cause unknown: ") >= 1


def test_every_step_of_the_history_has_its_cause_on_record():
    steps = changes.recorded().paired
    assert steps
    assert causes_record.unexplained(steps, causes_record.load()) == []


def test_every_table_of_a_recorded_explanation_fits_a_terminal(capsys):
    recorded = causes_record.load()
    assert recorded
    for found in recorded:
        causes_report.show(found)
        tables = [line for line in capsys.readouterr().out.splitlines() if re.search(r" [+-]\d+$", line)]
        assert all(len(line) <= 80 for line in tables)


def test_an_injected_statement_is_named_with_the_function_that_sends_it(server, tmp_path):
    pythons = tuple(
        environment_with(tmp_path / name, change)
        for name, change in (("before", NOTHING), ("after", EXTRA_STATEMENT))
    )
    assert causes.between((RELEASE, RELEASE), pythons, "fork_dispose", server).figures == ()
    found = causes.between((RELEASE, RELEASE), pythons, "spawn", server)
    assert found.statements_added == {FIRST: ("select 4711",), SECOND: ()}
    assert [name for name, _, _ in found.modules_changed] == ["sqlalchemy.dialects.postgresql.base"]
    assert any(name.endswith(":Connection.exec_driver_sql") for name, _, _ in found.calls[FIRST])
    assert not any((found.modules_added, found.modules_left_out, found.calls[START], found.calls[SECOND]))
