"""A verdict follows what a strategy does, not its name: without its cure it is affected."""

import pytest

from harness.hazards import catalogue
from harness.hazards.hazard import Verdict
from harness.hazards.runner import Trials
from harness.system.errors import PoolstartError
from tests.support import broken_strategies


def verdict(trials: Trials, hazard: str, strategy: str) -> Verdict:
    return trials.run(catalogue.load(hazard), broken_strategies.path(strategy)).verdict


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
    assert verdict(trials, hazard, "FORGETS_TO_DISPOSE") is Verdict.AFFECTED


@pytest.mark.parametrize(
    "hazard", ["parent_closed", "shared_socket", pytest.param("pool_lock", marks=pytest.mark.slow)]
)
def test_dispose_without_close_false_is_affected(trials: Trials, hazard: str) -> None:
    assert verdict(trials, hazard, "CLOSES") is Verdict.AFFECTED


@pytest.mark.parametrize("hazard", ["shared_socket", "max_connections"])
def test_nullpool_without_its_pool_is_affected(trials: Trials, hazard: str) -> None:
    assert verdict(trials, hazard, "LOSES_NULLPOOL") is Verdict.AFFECTED


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
    assert verdict(trials, hazard, "FORKS_INSTEAD") is Verdict.AFFECTED


@pytest.mark.parametrize(
    ("hazard", "strategy"),
    [
        # Leaves nothing that a finalizer could close, or that could outlive its parent.
        ("driver_finalizer", "DISPOSES_BEFORE"),
        ("orphaned_backend", "DISPOSES_BEFORE"),
        # Inherits nothing.
        ("inherited_lock", "SPAWNS_INSTEAD"),
        ("own_lock", "SPAWNS_INSTEAD"),
        # Imports nothing.
        ("unguarded_main", "FORKS_INSTEAD"),
    ],
)
def test_what_avoids_a_hazard_survives_it(trials: Trials, hazard: str, strategy: str) -> None:
    assert verdict(trials, hazard, strategy) is Verdict.SURVIVES


def test_copied_frame_is_not_applicable_without_a_frame(trials: Trials) -> None:
    assert verdict(trials, "copied_frame", "SPAWNS_INSTEAD") is Verdict.NOT_APPLICABLE


@pytest.mark.slow
def test_a_hang_elsewhere_is_not_taken_for_one_at_the_pools_mutex(trials: Trials) -> None:
    with pytest.raises(PoolstartError, match=r"hangs, but not in sqlalchemy/util/queue\.py"):
        verdict(trials, "pool_lock", "HANGS")


@pytest.mark.parametrize("hazard", ["lost_transaction", "inherited_session"])
def test_a_worker_that_fails_with_an_error_loses_nothing(trials: Trials, hazard: str) -> None:
    found = trials.run(catalogue.load(hazard), broken_strategies.path("FAILS_LOUDLY"))
    assert found.verdict is Verdict.SURVIVES
    assert any("and fails" in event.what for event in found.story if event.who == "worker"), found.story
