"""Fleets that Celery starts, where it is installed: `uv run --with celery pytest tests/fleets`."""

import pytest

from harness.fleets import measure, recorder
from harness.fleets.measure import CELERY
from harness.postgres.server import Server
from harness.processes import proc
from harness.processes.errors import NotApplicable, Rejected
from harness.records.provenance import installed
from harness.records.recorder import Request
from harness.system.errors import PoolstartError
from tests.support import broken_strategies

needs_celery = pytest.mark.skipif(not installed(CELERY), reason="Celery is not installed")


@needs_celery
def test_its_workers_are_those_of_any_fleet(server: Server) -> None:
    found = measure.measure("fork_dispose", 3, 0, server, CELERY)
    assert found.starter == CELERY
    assert 0 < found.first[0] <= found.last[0]
    assert found.pss["collect"][0] > 0


@needs_celery
def test_they_end_so_that_the_next_fleet_of_the_same_parent_has_only_its_own(server: Server) -> None:
    _, (first, second) = measure.run("nullpool", server, workers=(2, 3), starter=CELERY)
    pids = [{worker["pid"] for worker in report["workers"]} for report in (first, second)]
    assert [len(each) for each in pids] == [2, 3]
    assert not any(proc.running(pid) for each in pids for pid in each)


@needs_celery
def test_workers_that_hang_are_ended(server: Server) -> None:
    hangs = broken_strategies.path("HANGS")
    # Four times the deadline is that of the whole program, which imports Celery first.
    with pytest.raises(Rejected, match="the fleet hung with 0 of 2 rows"):
        measure.run(hangs, server, workers=(2,), starter=CELERY, deadline=8.0)


def test_it_forks_and_so_starts_no_workers_of_other_strategies(server: Server) -> None:
    with pytest.raises(NotApplicable, match="spawn: Celery's pool forks its workers"):
        measure.run("spawn", server, starter=CELERY)


def test_without_it_a_line_says_how_to_get_it_and_all_else_is_measured(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for module in (measure, recorder):
            patch.setattr(module, "installed", lambda package: "")
        with pytest.raises(PoolstartError, match=r"Celery is not installed; `uv run --with celery poolstart"):
            measure.measure_all(server, names=(), starters={CELERY: ["fork_dispose"]})
        fleets = recorder.FleetsRecorder()
        assert fleets.selected(Request("fleets")) == [*measure.STRATEGIES, "pool", "executor"]
        assert fleets.selected(Request("fleets", only=(CELERY,))) == [CELERY]
