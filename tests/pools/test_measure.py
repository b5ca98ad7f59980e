"""Pools whose initializer applies a strategy: their figures, and how pools behave."""

import pytest

from harness import strategies
from harness.pools.figures import RaisingInitializer
from harness.pools.measure import behaviour, measure
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable, Rejected
from tests.support import broken_strategies

MEASURED = [strategy.id for strategy in strategies.CATALOGUE if not strategy.shares_connection]


@pytest.mark.parametrize("strategy", MEASURED)
def test_every_pool_and_every_worker_has_its_figures(server: Server, strategy: str) -> None:
    figures = measure(strategy, 2, server, pools=2)
    assert len(figures.first) == len(figures.last) == len(figures.blocked) == 2
    assert all(0 < first <= last for first, last in zip(figures.first, figures.last, strict=True))
    assert len(figures.uss) == 4
    assert all(uss > 0 for uss in figures.uss)


def test_a_pool_of_8_has_8_workers(server: Server) -> None:
    assert len(measure("fork_dispose", 8, server, pools=1).uss) == 8


def test_a_strategy_whose_workers_share_a_connection_is_not_measured(server: Server) -> None:
    with pytest.raises(NotApplicable, match="use one connection at the same time"):
        measure("fork_nodispose", 2, server)


def test_a_pool_whose_initializer_closes_the_parents_connection_is_rejected(server: Server) -> None:
    with pytest.raises(Rejected, match=r"the parent's connection does not answer|the parent failed"):
        measure(broken_strategies.path("CLOSES"), 2, server, pools=1)


@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
def test_a_pool_replaces_workers_whose_initializer_raises_without_end(start_method: str) -> None:
    # The parent terminates it after ten times as many workers as the pool has.
    assert behaviour(start_method).raising == RaisingInitializer(workers=20, ran=False)


@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
def test_with_maxtasksperchild_1_every_task_runs_in_a_new_initialized_worker(start_method: str) -> None:
    counts = behaviour(start_method).replacing
    assert counts.workers == counts.tasks == counts.initialized
    if start_method == "fork":
        assert counts.forked_by_main == 2
        assert counts.forked_by_others >= counts.tasks - 2
