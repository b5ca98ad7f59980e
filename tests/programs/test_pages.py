"""What the head of a program's file says, what counts, and how it is shown."""

import copy
import os
from pathlib import Path
from typing import Any

import pytest

from harness.hazards.expected import Setting
from harness.postgres.server import Server
from harness.programs import measure as programs
from harness.programs import report as page
from harness.programs.measure import Measured, Program, Replaced, Without
from harness.system.errors import PoolstartError


@pytest.mark.parametrize("name", programs.known())
def test_the_two_applications_of_a_program_differ_in_the_hook(name: str) -> None:
    program = programs.get(name)
    hooked, bare = program.application(hook=True), program.application(hook=False)
    for text in (hooked, bare):
        compile(text, name, "exec")
    assert all(line in hooked for line in program.hook.splitlines())
    own = [line for line in program.hook.splitlines() if "(" in line]
    assert not [line for line in own if line in bare.splitlines()]
    assert (hooked == bare) == (not program.hook)


@pytest.mark.parametrize("name", programs.known())
def test_what_a_program_needs_is_pinned(name: str) -> None:
    assert all("==" in package for package in programs.requirements(programs.get(name)))


def test_a_program_that_is_not_known_is_one_line() -> None:
    with pytest.raises(PoolstartError, match="there is no program 'cellery'") as told:
        programs.get("cellery")
    assert "celery" in told.value.remedy


def test_what_cannot_be_on_several_hosts_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "insist", lambda: None)
    assert [one.name for one in programs.chosen([], 2)] == ["celery", "dask"]
    with pytest.raises(PoolstartError, match="gunicorn has all its workers on one host") as told:
        programs.chosen(["celery", "gunicorn"], 2)
    assert "celery, dask" in told.value.remedy


def test_where_there_can_be_no_hosts_is_said_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: 1000)
        with pytest.raises(PoolstartError, match="only root"):
            programs.chosen(["celery"], 2)
    monkeypatch.setattr(programs, "insist", lambda: None)
    monkeypatch.setattr(programs.locate, "identity", lambda: "external-17.0-tls-md5")
    with pytest.raises(PoolstartError, match="reach the embedded server only"):
        programs.chosen(["celery"], 2)


FORKED: Program = programs.get("executor")

LOADED = {100: 900}

GOOD: list[dict[str, Any]] = [
    {"token": "a", "told": "a", "pid": 101, "backend": 901, "hooked": True},
    {"token": "b", "told": "b", "pid": 102, "backend": 902, "hooked": True},
]


def test_workers_as_they_should_be_count() -> None:
    assert programs.findings(FORKED, LOADED, GOOD) == []


def test_a_worker_that_loaded_the_application_itself_may_keep_its_session() -> None:
    assert programs.findings(FORKED, {101: 901, 102: 902}, GOOD) == []


@pytest.mark.parametrize(
    ("field", "value", "finding"),
    [
        ("pid", 102, "two rows came from one worker"),
        ("told", "b", "a worker got another one's row"),
        ("backend", 902, "workers shared a session"),
        ("backend", 900, "workers shared a session"),
        ("hooked", False, "the hook was not run"),
        ("error", "no", "no"),
    ],
)
def test_anything_else_is_a_finding(field: str, value: Any, finding: str) -> None:
    reports = copy.deepcopy(GOOD)
    reports[0][field] = value
    assert programs.findings(FORKED, LOADED, reports) == [finding]


def test_a_table_is_read_as_it_was_written_and_shown_whole(server: Server, tmp_path: Path) -> None:
    table = programs.Table(
        Setting.here(server),
        2,
        (
            Measured(
                "executor",
                (),
                (0.1, 0.3),
                (2**20, 3 * 2**20),
                Without("shared", 1),
                Replaced(1, 0, 0, "BrokenProcessPool"),
                Replaced(3, 3, 3),
            ),
            Measured(
                "uwsgi_lazy", ("pyuwsgi==2",), (0.2,), (2**20,), Without("own", 2), Replaced(2, 2, 1), None
            ),
        ),
    )
    path = tmp_path / "programs.json"
    page.save(table, path)
    assert page.load(path) == table
    told = path.with_suffix(".md").read_text()
    assert (
        "| executor | 200 ±50.0 | 1.0 or 3.0 | **one connection for several** | hook run again | error |"
        in told
    )
    assert "| uwsgi_lazy | 200 ±0 | 1.0 ±0 | own connections | n/a | **hook not run** |" in told
    assert f"```python\n{FORKED.hook}\n```" in told


def test_the_committed_page_is_of_the_committed_figures() -> None:
    table = page.load()
    if table is None:
        pytest.skip("no programs are recorded")
    assert page.PATH.with_suffix(".md").read_text() == page.render(table)
