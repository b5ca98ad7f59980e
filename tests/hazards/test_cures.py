"""A verdict follows what a strategy does, not its name: without its cure it is affected."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.hazards import catalogue
from harness.hazards.hazard import Verdict
from harness.hazards.matrix import JOBS
from harness.hazards.runner import Trials
from harness.system.errors import PoolstartError
from tests.support import broken_strategies


def verdicts(trials: Trials, cells: list[tuple[str, str]]) -> dict[tuple[str, str], Verdict]:
    """Of each hazard under each broken strategy; most of a trial is waiting, so several run at a time."""
    with ThreadPoolExecutor(JOBS) as executor:
        found = executor.map(
            lambda cell: trials.run(catalogue.load(cell[0]), broken_strategies.path(cell[1])).verdict, cells
        )
        return dict(zip(cells, found, strict=True))


@pytest.mark.parametrize(
    ("strategy", "hazards"),
    [
        pytest.param(
            "FORGETS_TO_DISPOSE",
            "shared_socket wrong_answer torn_message parent_closed exhausted_pool preload_shared "
            "sqlite_shared lazy_executor reused_descriptor",
            id="fork_dispose that forgets to dispose",
        ),
        pytest.param(
            "FORGETS_TO_DISPOSE", "pool_lock interleaved", id="and the same", marks=pytest.mark.slow
        ),
        pytest.param("CLOSES", "parent_closed shared_socket", id="dispose without close=False"),
        pytest.param("CLOSES", "pool_lock", id="and that too", marks=pytest.mark.slow),
        pytest.param("LOSES_NULLPOOL", "shared_socket max_connections", id="nullpool without its pool"),
        pytest.param(
            "FORKS_INSTEAD",
            "inherited_lock own_lock lost_transaction half_initialized import_lock inherited_session "
            "handler_copy missing_thread copied_ids copied_signals native_lock",
            id="spawn that forks",
        ),
    ],
)
def test_without_its_cure_a_strategy_is_affected(trials: Trials, strategy: str, hazards: str) -> None:
    cells = [(hazard, strategy) for hazard in hazards.split()]
    assert verdicts(trials, cells) == dict.fromkeys(cells, Verdict.AFFECTED)


def test_what_avoids_a_hazard_survives_it(trials: Trials) -> None:
    cells = [
        # Leaves nothing that a finalizer could close, or that could outlive its parent.
        ("driver_finalizer", "DISPOSES_BEFORE"),
        ("orphaned_backend", "DISPOSES_BEFORE"),
        # Inherits nothing.
        ("inherited_lock", "SPAWNS_INSTEAD"),
        ("own_lock", "SPAWNS_INSTEAD"),
        # Imports nothing.
        ("unguarded_main", "FORKS_INSTEAD"),
    ]
    assert verdicts(trials, cells) == dict.fromkeys(cells, Verdict.SURVIVES)


def test_copied_frame_is_not_applicable_without_a_frame(trials: Trials) -> None:
    cell = ("copied_frame", "SPAWNS_INSTEAD")
    assert verdicts(trials, [cell]) == {cell: Verdict.NOT_APPLICABLE}


@pytest.mark.slow
def test_a_hang_elsewhere_is_not_taken_for_one_at_the_pools_mutex(trials: Trials) -> None:
    with pytest.raises(PoolstartError, match=r"hangs, but not in sqlalchemy/util/queue\.py"):
        trials.run(catalogue.load("pool_lock"), broken_strategies.path("HANGS"))


@pytest.mark.parametrize("hazard", ["lost_transaction", "inherited_session"])
def test_a_worker_that_fails_with_an_error_loses_nothing(trials: Trials, hazard: str) -> None:
    found = trials.run(catalogue.load(hazard), broken_strategies.path("FAILS_LOUDLY"))
    assert found.verdict is Verdict.SURVIVES
    assert any("and fails" in event.what for event in found.story if event.who == "worker"), found.story
