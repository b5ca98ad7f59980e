"""Profiles: which environment variables set them, and how results of different ones are kept apart."""

import pytest

from harness import strategies
from harness.lifecycles import parent_handle, profile
from harness.lifecycles.cell import Cell, cells_of
from harness.postgres.server import Server
from harness.processes.errors import NotApplicable
from harness.system import memory
from harness.system.errors import PoolstartError

SERVER = Server("embedded", "", "18.4", "tcp", "trust")


def test_the_default_series_has_no_tags() -> None:
    assert profile.tags() == {}
    assert profile.current().blocks >= 5


def test_strategies_that_boot_interpreters_have_fewer_workers() -> None:
    default = profile.PROFILES["default"]
    counts = {strategy.id: default.workers(strategy) for strategy in strategies.CATALOGUE}
    assert counts["spawn"] == counts["forkserver"] < counts["forkserver_preload"] == counts["fork_dispose"]


@pytest.mark.parametrize(
    ("name", "value", "tags"),
    [
        (profile.PROFILE, "quick", {"profile": "quick"}),
        (profile.DATAFRAME, "64", {"dataframe_mib": "64"}),
        (profile.DATAFRAME, "512", {}),
        (profile.STRATEGIES, "spawn, nullpool", {"strategies": "spawn+nullpool"}),
        (profile.STRATEGIES, "nullpool,spawn", {"strategies": "spawn+nullpool"}),
        (profile.STRATEGIES, ",".join(strategies.IDS), {}),
    ],
)
def test_each_difference_from_the_default_is_a_tag(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, tags: dict[str, str]
) -> None:
    monkeypatch.setenv(name, value)
    assert profile.tags() == tags


def test_a_strategy_of_the_users_own_is_not_for_asv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(profile.STRATEGIES, "tests.support.broken_strategies:HEALTHY")
    with pytest.raises(PoolstartError, match="measure it by `poolstart measure`"):
        profile.tags()


def test_a_cell_is_not_applicable_if_its_dataframe_does_not_fit_into_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "available", lambda: 1e9)
    parent_handle.require(Cell("spawn", "none"), SERVER, profile.current(), "2.1.9")
    with pytest.raises(NotApplicable, match="512 MiB needs 1280 MiB free, this machine has 954 MiB"):
        parent_handle.require(Cell("spawn", "large"), SERVER, profile.current(), "2.1.9")


def test_only_the_named_strategies_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(profile.STRATEGIES, "nullpool")
    assert [cell.id for cell in cells_of(profile.current())] == ["nullpool.none", "nullpool.large"]


def test_a_strategy_that_a_release_does_not_support_is_not_applicable() -> None:
    dispose = strategies.get("fork_dispose")
    assert dispose.not_applicable("1.4.32") == "fork_dispose needs SQLAlchemy 1.4.33, this is 1.4.32"
    for release in ("1.4.35", "1.4.54", "2.0.0", "2.1.9"):
        assert not dispose.not_applicable(release)


def test_a_shared_connection_is_not_applicable_over_tls() -> None:
    tls = Server("external", "", "18.4", "tls", "trust")
    parent_handle.require(Cell("fork_dispose", "none"), tls, profile.current(), "2.1.9")
    with pytest.raises(NotApplicable, match="cannot share one TLS session"):
        parent_handle.require(Cell("fork_nodispose", "none"), tls, profile.current(), "2.1.9")
