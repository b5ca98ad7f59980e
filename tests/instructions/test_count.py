"""Instructions repeat within a thousandth, whatever else the machine does, and find what was added."""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.counts.observe import QUERIES
from harness.history import bracket
from harness.history.changes import Changes
from harness.history.sensitivity.injected import NOTHING, InjectedChange
from harness.instructions import causes, count, newest, table
from harness.instructions.count import PHASES, REST, TOKEN, attribute
from harness.instructions.table import InstructionsRow
from harness.processes.errors import ChecksFailed
from harness.processes.supervision import Supervision
from harness.records.provenance import Provenance
from harness.site.build import build as build_site
from tests.support.environments import environment_with
from tests.support.results import few

RELEASE = sqlalchemy.__version__

needs_valgrind = pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")

TOLERATED = 0.001

MOVED_BY_ADDRESSES = table.MIN_INSTRUCTIONS / 4
"""Instructions by which the addresses of objects move a phase: of a second query, more than a thousandth."""

COUNTS = int(os.environ.get("COUNTS", "4"))

MORE_IMPORTS = InjectedChange(
    "imports", "about one per cent more imports", (), (), (), "__init__.py", "",
    "import xml.dom.minidom, ctypes\n",
)  # fmt: skip


def row(name, server, python):
    """The row of a count, as if the release were called `name`."""
    counted = replace(count.count(server, release=RELEASE, python=python), release=name)
    return InstructionsRow.of(counted, Provenance())


def profile(path, number, cost):
    path = path / f"profile.{number}"
    path.write_text(f"fn=(1) main\n0 {cost}\n")
    return path


def test_each_profile_belongs_to_the_phase_and_to_the_module_whose_import_is_under_way(tmp_path):
    marks = ["a", "b", None, None, "", "", "c", None, "", ""]
    files = [profile(tmp_path, number, 10**number) for number in range(len(marks))]
    phases = attribute(files, marks)
    assert {name: dict(phase.modules) for name, phase in phases.items()} == {
        "start": {REST: 10_001, "a": 1_010, "b": 100},
        "engine": {REST: 100_000},
        "first_query": {REST: 101_000_000, "c": 10_000_000},
        "second_query": {REST: 1_000_000_000},
    }


@needs_valgrind
def test_each_phase_of_a_worker_has_its_instructions_without_its_exit(server):
    counted = count.count(server, release=RELEASE)
    start, engine, first_query, second_query = (counted.phases[phase] for phase in PHASES)
    # Importing SQLAlchemy is most of the work, and a query that repeats another is the least.
    assert start > engine > first_query > second_query > 0
    assert counted.release == RELEASE
    assert sum(counted.functions["start"].values()) == start + counted.lookups["start"]


DONE = {"outcome": "done", "exitcode": 0, "rows": [[TOKEN, 1], [TOKEN, 1]], "recompiled": 0}
USUAL = {**DONE, "sqlalchemy": RELEASE, "uncompiled": 0}


@pytest.mark.parametrize(
    ("usual", "counted", "finding"),
    [
        ({"sqlalchemy": "1.4.35"}, {}, f"SQLAlchemy 1.4.35 is imported, not {RELEASE}"),
        ({"uncompiled": 2}, {}, "2 modules have no bytecode on disk"),
        ({}, {"exitcode": 1}, "the counted worker done, status 1"),
        ({}, {"recompiled": 2}, "2 modules changed, and the worker compiled them"),
        ({}, {"rows": [[TOKEN, 1], ["x", 1]]}, "the counted worker returned other rows than its own"),
    ],
)
def test_a_worker_that_did_not_do_what_it_should_is_refused(usual, counted, finding):
    count.check("it", RELEASE, USUAL, DONE)
    with pytest.raises(ChecksFailed, match=finding):
        count.check("it", RELEASE, USUAL | usual, DONE | counted)


COUNT = (
    "import json, sys; from harness.instructions import count; from harness.postgres.server import Server\n"
    "counted = count.count(Server.from_json(sys.argv[1]), release=sys.argv[2])\n"
    "print(json.dumps(counted.phases))"
)


@needs_valgrind
@pytest.mark.slow
def test_counts_agree_under_load_and_in_folders_of_different_name_length(server):
    def phases(number):
        with Supervision() as supervision:
            folder = Path(supervision.directory()) / ("n" * (1 + 2 * number))
            folder.mkdir()
            variables = {**os.environ, "TMPDIR": str(folder), "SOME_VARIABLE": "v" * 50 * number}
            command = [sys.executable, "-c", COUNT, server.to_json(), RELEASE]
            done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    # More at a time than there are processors: each is the load of the others.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 2) as threads:
        counts = list(threads.map(phases, range(COUNTS)))
    by_phase = {phase: [counted[phase] for counted in counts] for phase in PHASES}
    whole = list(map(sum, zip(*by_phase.values(), strict=True)))
    assert max(whole) <= min(whole) * (1 + TOLERATED)
    for phase, each in by_phase.items():
        assert max(each) - min(each) <= max(TOLERATED * min(each), MOVED_BY_ADDRESSES), phase


@needs_valgrind
@pytest.mark.slow
def test_one_per_cent_more_imports_in_a_new_release_are_found_there_and_the_page_names_them(
    server, tmp_path, monkeypatch
):
    monkeypatch.setattr(table, "PATH", tmp_path / "instructions.json")
    pythons = {
        "2.1.9": environment_with(tmp_path / "plain", NOTHING),
        "2.1.10": environment_with(tmp_path / "changed", MORE_IMPORTS),
    }

    def count_as(release, python):
        counted = count.count(server, release=RELEASE, python=python, by_module=True)
        return replace(counted, release=release)

    # Each once, with its imports marked: for its figures and for their causes.
    with ThreadPoolExecutor() as threads:
        counts = dict(zip(pythons, threads.map(count_as, pythons, pythons.values()), strict=True))

    def counted(server, release, command):
        return counts[release].build, InstructionsRow.of(counts[release], Provenance())

    # As on the day before.
    build, before = counted(server, "2.1.9", "")
    table.InstructionsTable(build, (before,)).save()
    assert newest.changed([("2.1.9", "2.1.10")], server, "", print, counted) == ["2.1.10"]
    recorded = table.load()
    [change] = table.changes(recorded.rows)
    assert change.phases == (table.TOTAL, "start")
    assert 1.005 < change.ratio(table.TOTAL) < 1.02
    order = ["2.1.8", "2.1.9", "2.1.10"]
    assert bracket.candidates(order, Changes((), (), 0, ()), recorded) == ["2.1.10"], "it is paired next"
    found = causes.of_counts(tuple(counts.values()), ({query: {} for query in QUERIES},) * 2)
    added = {module for module, before, after in found.modules["start"] if not before}
    assert {"xml.dom.minidom", "ctypes"} <= added
    recorded.with_causes(found).save()
    shown = CliRunner().invoke(app, ["changes"]).stdout
    assert re.search(r"^2\.1\.10 .*\+1\.\d %", shown, re.MULTILINE)
    assert re.search(r"^2\.1\.10 .*imports .*`(ctypes|xml\.dom\.minidom)` ", shown, re.MULTILINE)
    few(tmp_path / "results")
    build_site(tmp_path / "results", tmp_path / "site")
    page = (tmp_path / "site" / "releases.html").read_text()
    assert "2.1.10 is one of these" in page
