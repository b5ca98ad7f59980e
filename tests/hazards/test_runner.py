"""A trial ends by its deadline, reports errors, and leaves nothing behind however it is interrupted."""

import os
import signal
import time
from contextlib import closing
from dataclasses import replace
from subprocess import DEVNULL, PIPE

import pytest

from harness.hazards import asv_run, catalogue
from harness.hazards.hazard import Verdict
from harness.hazards.matrix import JOBS
from harness.hazards.runner import Trials
from harness.postgres import locate
from harness.postgres.server import Server
from harness.system.errors import PoolstartError
from tests.support import broken_strategies
from tests.support.remains import LIMIT, scene


def table_of(hazard: str, strategy: str, deadline: float = 600) -> str:
    """A program that measures one hazard three times, several at a time."""
    return f"""
from harness.processes import interrupts
interrupts.first_counts()
from dataclasses import replace
from harness.hazards import catalogue
from harness.hazards.matrix import measure
from harness.postgres import locate

with locate.server() as server:
    measure(server, [replace(catalogue.load({hazard!r}), deadline={deadline})], [{strategy!r}] * 3, print)
"""


def test_a_reproduction_that_hangs_ends_with_its_deadline() -> None:
    with scene() as here:
        run = here.python(
            "-c", table_of("shared_socket", broken_strategies.path("PARENT_HANGS"), deadline=3), stdout=PIPE
        )
        said, _ = run.communicate(timeout=300)
        assert said.count("not done after 3 s, so it was killed") == 3
        here.wait_until_gone()


@pytest.mark.parametrize("last_signal", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_trials_leave_nothing_behind(last_signal: int) -> None:
    with scene() as here:
        run = here.python(
            "-c", table_of("shared_socket", broken_strategies.path("PARENT_HANGS")), stderr=DEVNULL
        )
        here.wait_for(lambda: len(here.processes("harness.hazards.inside.program")) == JOBS, "trials run")
        os.kill(run.pid, last_signal)
        run.wait(300)
        here.wait_until_gone()


def test_a_trial_leaves_no_session_and_no_table(server: Server, trials: Trials) -> None:
    for hazard in ("lost_transaction", "interleaved", "orphaned_backend"):
        trials.run(catalogue.load(hazard), "fork_nodispose")
    with closing(server.connect("watch")) as monitor, monitor.cursor() as cursor:
        cursor.execute("select count(*) from pg_class where relname like 'poolstart%'")
        assert cursor.fetchone() == (0,)
        # The server needs a moment to see that its clients have gone.
        until = time.monotonic() + LIMIT
        left = 1
        while left and time.monotonic() < until:
            cursor.execute("select count(*) from pg_stat_activity where application_name like 'poolstart-%'")
            (left,) = cursor.fetchone()
        assert left == 0


def test_a_reproduction_without_a_result_is_an_error_not_a_survival(trials: Trials) -> None:
    unknown = replace(catalogue.load("shared_socket"), id="no_such_hazard")
    with pytest.raises(PoolstartError, match="no result for no_such_hazard under spawn"):
        trials.run(unknown, "spawn")


def test_the_error_of_a_second_parent_is_reported(trials: Trials) -> None:
    with pytest.raises(PoolstartError, match="is to be killed failed: LookupError: no such parent"):
        trials.run(catalogue.load("orphaned_backend"), broken_strategies.path("PARENT_FAILS"))


def test_a_strategy_that_needs_a_newer_release_is_not_applicable(
    trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        broken_strategies, "PARENT_HANGS", replace(broken_strategies.PARENT_HANGS, since=(99,))
    )
    outcome = trials.run(catalogue.load("shared_socket"), broken_strategies.path("PARENT_HANGS"))
    assert outcome.verdict is Verdict.NOT_APPLICABLE
    assert "needs SQLAlchemy 99" in outcome.reason


def test_an_asv_run_makes_the_trials_of_its_profile(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(locate.RUN, server.to_json())
    monkeypatch.setenv("POOLSTART_PROFILE", "quick")
    monkeypatch.setenv(asv_run.TRIALS, "all")
    hazard = catalogue.load("unpicklable")
    monkeypatch.setattr(catalogue, "load_all", lambda: [hazard])
    run = asv_run.of_this_run()
    assert set(run["unpicklable"]) == {hazard.affected_control, hazard.survives_control}
    affected = asv_run.read(run, "unpicklable", hazard.affected_control)
    assert affected.verdict is Verdict.AFFECTED
    assert asv_run.read(run, "unpicklable", "nullpool") is None
