"""A pool whose initializer makes the engine usable: what counts, and what such pools do."""

import copy
import importlib
import json
import math
from pathlib import Path
from typing import Any

import pytest

from harness import strategies
from harness.lifecycles.cell import NotApplicable, Rejected
from harness.pools import measure as pools
from harness.pools import report as page
from harness.pools.measure import Measured
from harness.postgres import locate
from harness.postgres.server import Server
from tests.support import broken_strategies

MEASURED = [strategy.id for strategy in strategies.CATALOGUE if not strategy.shares_connection]


@pytest.mark.parametrize("strategy", MEASURED)
def test_every_worker_of_a_pool_has_its_row(server: Server, strategy: str) -> None:
    measured = pools.measure(strategy, 2, server, pools=2)
    assert len(measured.first) == len(measured.last) == len(measured.blocked) == 2
    assert all(0 < first <= last for first, last in zip(measured.first, measured.last, strict=True))
    assert len(measured.uss) == 4
    assert all(each > 0 for each in measured.uss)


def test_a_pool_of_8_has_8_workers(server: Server) -> None:
    assert len(pools.measure("fork_dispose", 8, server, pools=1).uss) == 8


def test_a_pool_that_shares_one_connection_is_not_measured(server: Server) -> None:
    with pytest.raises(NotApplicable, match="over one connection"):
        pools.measure("fork_nodispose", 2, server)


def test_an_initializer_that_closes_the_parents_connection_does_not_count(server: Server) -> None:
    with pytest.raises(Rejected, match=r"the parent's connection does not answer|the parent failed"):
        pools.measure(broken_strategies.path("CLOSES"), 2, server, pools=1)


@pytest.mark.parametrize("start_method", ["fork", "forkserver", "spawn"])
def test_what_pools_do_with_an_initializer(start_method: str) -> None:
    seen = pools.behaviour(start_method)
    # For ever: as many as were waited for, ten times the size of the pool.
    assert seen.raising == {"workers": 20, "ran": False}
    assert seen.replacing["workers"] == seen.replacing["tasks"] == seen.replacing["initialized"]
    if start_method == "fork":
        assert seen.replacing["forked_by_main"] == 2
        assert seen.replacing["forked_by_others"] >= seen.replacing["tasks"] - 2


def benchmarks(**variables: str) -> Any:
    """The module of asv's benchmarks, as a process with these variables finds it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        return importlib.reload(importlib.import_module("benchmarks.pools"))


def test_asv_finds_the_benchmark_only_where_it_is_asked_for() -> None:
    module = benchmarks()
    vars(module).pop("Pools", None)
    assert not hasattr(benchmarks(), "Pools")
    assert hasattr(benchmarks(POOLSTART_POOLS="1"), "Pools")


def test_asv_gets_a_sample_of_every_pool(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(locate.RUN, server.to_json())
    benchmark = benchmarks(POOLSTART_POOLS="1").Pools()
    place = str(tmp_path)
    number = pools.PARENTS * pools.POOLS
    first, last = (
        benchmark.track_first_row(place, "nullpool", 2),
        benchmark.track_last_row(place, "nullpool", 2),
    )
    assert len(first["samples"]) == len(last["samples"]) == number
    assert all(map(float.__le__, first["samples"], last["samples"]))
    assert len(benchmark.track_uss(place, "nullpool", 2)["samples"]) == 2 * number
    assert math.isnan(benchmark.track_first_row(place, "fork_nodispose", 2))


TOKEN, MARK, PARENT = "token", "mark", 100

GOOD: dict[str, Any] = {
    "outcome": "done",
    "called": 10,
    "returned": 20,
    "workers": [
        {"pid": pid, "ppid": PARENT, "mark": MARK, "row": [TOKEN, 1000 + pid], "started": 15, "first_row": 30}
        for pid in (101, 102)
    ],
    "exitcodes": [0, 0],
    "backend_before": 999,
    "row_after": [TOKEN, 999],
}


def found(seen: dict[str, Any]) -> list[str]:
    return pools.findings(strategies.get("fork_dispose"), 2, TOKEN, MARK, PARENT, seen)


def test_a_pool_as_it_should_be_counts() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize(
    ("path", "value", "finding"),
    [
        (("outcome",), "hung", "2 of 2 workers had their row in time"),
        (("workers", 0, "pid"), 102, "the initializer ran 2 times for 2 workers"),
        (
            ("workers",),
            [*GOOD["workers"], {**GOOD["workers"][0], "row": [TOKEN, 1101]}],
            "the initializer ran 3 times for 2 workers",
        ),
        (("workers", 0, "mark"), None, "a worker was started by spawn"),
        (("workers", 0, "ppid"), 1, "a worker was started by None"),
        (("workers", 0, "row"), ["other", 1101], "a worker returned another one's row"),
        (("workers", 0, "row"), [TOKEN, 1102], "workers shared a session"),
        (("workers", 0, "row"), [TOKEN, 999], "workers shared a session"),
        (("workers", 0, "started"), 5, "the clock ran backwards"),
        (("row_after",), [TOKEN, 998], "the parent's connection does not answer as before"),
        (("exitcodes",), [0, 1], "workers ended with [0, 1]"),
        (("exitcodes",), [0], "workers ended with [0]"),
    ],
)
def test_anything_else_is_a_finding(path: tuple[Any, ...], value: Any, finding: str) -> None:
    seen = copy.deepcopy(GOOD)
    place = seen
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert found(seen) == [finding]


def test_a_table_is_read_as_it_was_written_and_shown_whole(server: Server, tmp_path: Path) -> None:
    table = pools.Table(
        pools.Setting.here(server),
        parents=1,
        pools=2,
        cells=(
            Measured("fork_nodispose", 2, reason="no"),
            Measured("spawn", 2, (0.2, 0.3), (0.3, 0.5), (0.01, 0.02), (2**20, 3 * 2**20)),
        ),
        behaviours=(
            pools.Behaviour(
                "fork",
                {"workers": 20, "ran": False},
                {"tasks": 6, "workers": 6, "initialized": 6, "forked_by_main": 2, "forked_by_others": 4},
            ),
        ),
    )
    path = tmp_path / "pools.json"
    page.save(table, path)
    assert page.load(path) == table
    assert json.loads(path.read_text())["parents"] == 1
    told = page.render(table)
    assert "| spawn | 2 | 250 ±25.0 | 400 ±50.0 | 15.0 ±2.5 | 2.0 ±0.50 |" in told
    assert "| fork_nodispose (not safe) | 2 | n/a |" in told


def test_the_committed_page_is_of_the_committed_figures() -> None:
    table = page.load()
    if table is None:
        pytest.skip("no pools are recorded")
    assert page.PAGE.read_text() == page.render(table)
