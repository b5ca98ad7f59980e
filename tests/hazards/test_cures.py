"""A verdict follows what a strategy does, not its name: without its cure it is affected."""

import pytest

from harness.hazards import catalogue
from harness.hazards.hazard import Verdict
from harness.hazards.runner import Trials
from harness.system.errors import PoolstartError
from tests.support import broken_strategies


def verdict(trials: Trials, hazard: str, strategy: str) -> Verdict:
    return trials.run(catalogue.load(hazard), strategy).verdict


@pytest.mark.parametrize(
    "hazard",
    [
        pytest.param("pool_lock", marks=pytest.mark.slow),
        "shared_socket",
        pytest.param("interleaved", marks=pytest.mark.slow),
        "wrong_answer",
        "torn_message",
        "parent_closed",
        "exhausted_pool",
        "preload_shared",
        "sqlite_shared",
        "lazy_executor",
        "reused_descriptor",
    ],
)
def test_fork_dispose_that_forgets_to_dispose_is_affected(trials: Trials, hazard: str) -> None:
    assert verdict(trials, hazard, "fork_dispose") is Verdict.SURVIVES
    assert verdict(trials, hazard, broken_strategies.path("FORGETS_TO_DISPOSE")) is Verdict.AFFECTED


@pytest.mark.parametrize(
    "hazard", ["parent_closed", "shared_socket", pytest.param("pool_lock", marks=pytest.mark.slow)]
)
def test_dispose_without_close_false_is_affected(trials: Trials, hazard: str) -> None:
    assert verdict(trials, hazard, broken_strategies.path("CLOSES")) is Verdict.AFFECTED


def test_nullpool_without_its_pool_is_affected(trials: Trials) -> None:
    assert verdict(trials, "shared_socket", "nullpool") is Verdict.SURVIVES
    assert verdict(trials, "shared_socket", broken_strategies.path("LOSES_NULLPOOL")) is Verdict.AFFECTED


def test_pools_fill_a_server_and_nullpool_does_not(trials: Trials) -> None:
    assert verdict(trials, "max_connections", "nullpool") is Verdict.SURVIVES
    assert verdict(trials, "max_connections", broken_strategies.path("LOSES_NULLPOOL")) is Verdict.AFFECTED


def test_disposing_before_the_fork_cures_a_driver_that_closes_in_its_finalizer(trials: Trials) -> None:
    assert verdict(trials, "driver_finalizer", "fork_dispose") is Verdict.AFFECTED
    assert verdict(trials, "driver_finalizer", broken_strategies.path("DISPOSES_BEFORE")) is Verdict.SURVIVES


@pytest.mark.slow
def test_a_hang_elsewhere_is_not_taken_for_one_at_the_pools_mutex(trials: Trials) -> None:
    with pytest.raises(PoolstartError, match="hangs, but not in sqlalchemy/util/queue.py"):
        verdict(trials, "pool_lock", broken_strategies.path("HANGS"))


@pytest.mark.parametrize(
    "hazard",
    [
        "inherited_lock",
        "own_lock",
        "lost_transaction",
        "half_initialized",
        "import_lock",
        "inherited_session",
        "handler_copy",
        "missing_thread",
        "copied_ids",
        "copied_signals",
        "native_lock",
    ],
)
def test_spawn_that_forks_is_affected(trials: Trials, hazard: str) -> None:
    assert verdict(trials, hazard, broken_strategies.path("FORKS_INSTEAD")) is Verdict.AFFECTED


@pytest.mark.parametrize("hazard", ["lost_transaction", "inherited_session"])
def test_a_worker_that_fails_with_an_error_loses_nothing(trials: Trials, hazard: str) -> None:
    found = trials.run(catalogue.load(hazard), broken_strategies.path("FAILS_LOUDLY"))
    assert found.verdict is Verdict.SURVIVES
    assert any("and fails" in event.what for event in found.story if event.who == "worker"), found.story


@pytest.mark.parametrize("hazard", ["inherited_lock", "own_lock"])
def test_a_start_method_that_inherits_nothing_is_the_cure(trials: Trials, hazard: str) -> None:
    assert verdict(trials, hazard, broken_strategies.path("SPAWNS_INSTEAD")) is Verdict.SURVIVES


def test_copied_frame_is_not_applicable_without_a_frame(trials: Trials) -> None:
    assert verdict(trials, "copied_frame", broken_strategies.path("SPAWNS_INSTEAD")) is Verdict.NOT_APPLICABLE


def test_disposing_before_the_fork_leaves_no_orphans(trials: Trials) -> None:
    assert verdict(trials, "orphaned_backend", "fork_dispose") is Verdict.AFFECTED
    assert verdict(trials, "orphaned_backend", broken_strategies.path("DISPOSES_BEFORE")) is Verdict.SURVIVES


def test_a_program_without_a_guard_works_with_fork(trials: Trials) -> None:
    assert verdict(trials, "unguarded_main", "spawn") is Verdict.AFFECTED
    assert verdict(trials, "unguarded_main", broken_strategies.path("FORKS_INSTEAD")) is Verdict.SURVIVES
