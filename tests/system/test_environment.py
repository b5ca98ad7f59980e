"""What decides a figure does not come from the shell of whoever measures."""

from pathlib import Path

import pytest

from harness.lifecycles.cell import Cell
from harness.lifecycles.parent_handle import ParentHandle
from harness.lifecycles.profile import PROFILES
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.system.environment import KEPT_OUT, ROOT

MEANT = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
"""What a started program is given of these by the harness itself."""

SHELL = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONPATH": "/somewhere/else",
    "PYTHONHASHSEED": "0",
    "PGHOST": "192.0.2.1",
    "PGOPTIONS": "-c work_mem=1GB",
    "SQLALCHEMY_WARN_20": "1",
    "DISABLE_SQLALCHEMY_CEXT_RUNTIME": "1",
    "MALLOC_ARENA_MAX": "1",
    "LD_BIND_NOW": "1",
}


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry)


def test_every_prefix_is_tried() -> None:
    assert all(any(name.startswith(prefix) for name in SHELL) for prefix in KEPT_OUT)


@pytest.mark.parametrize("strategy", ["fork_dispose", "spawn"])
def test_no_variable_that_changes_a_figure_reaches_a_parent(
    server: Server, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    for name, value in SHELL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POOLSTART_TESTS", "stays")
    with (
        Supervision() as supervision,
        ParentHandle(Cell(strategy, "none"), server, PROFILES["quick"], supervision) as parent,
    ):
        found = environment_of(parent.facts["pid"])
        # And its workers, whose environment is the parent's, prove themselves.
        assert len(list(parent.lifecycles(1))) == 1
    assert found["POOLSTART_TESTS"] == "stays"
    assert {name: value for name, value in found.items() if name.startswith(KEPT_OUT)} == MEANT
