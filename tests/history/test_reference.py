"""Pairs with the reference, by real processes: a release against itself, the collector in a known state."""

import sys
from dataclasses import replace
from importlib import metadata
from math import exp
from pathlib import Path
from statistics import mean, median

import pytest

from harness.history import reference
from harness.history.sensitivity import injected
from harness.lifecycles.cell import Cell
from harness.lifecycles.metrics import METRICS
from harness.lifecycles.plan import Plan
from harness.lifecycles.profile import PROFILES
from harness.lifecycles.samples import Lifecycle
from harness.postgres.server import Server
from harness.processes.supervision import Supervision
from harness.releases import interpreters, venvs

INSTALLED = metadata.version("sqlalchemy")


def last_worker(server: Server, strategy: str, *, of_pairs: bool) -> Lifecycle:
    cell = Cell(strategy, "none")
    with Supervision() as supervision:
        plan = Plan([cell], server, PROFILES["quick"], supervision, release=INSTALLED, of_pairs=of_pairs)
        with plan.handle(cell) as parent:
            *_, last = parent.lifecycles(2)
    return last


def test_the_fork_server_of_a_pair_has_collected_once_more_than_that_of_a_program(server: Server) -> None:
    known, usual = (
        last_worker(server, "forkserver_preload", of_pairs=of_pairs).collections[0][2]
        for of_pairs in (True, False)
    )
    assert known == usual + 1


@pytest.mark.parametrize("strategy", ["fork_dispose", "forkserver_preload"])
def test_what_a_parent_of_a_pair_imports_is_scattered(server: Server, strategy: str) -> None:
    # What is kept between imports takes memory, which workers share.
    scattered, usual = (
        last_worker(server, strategy, of_pairs=of_pairs).samples["rss"] for of_pairs in (True, False)
    )
    assert scattered > usual + 512 * 1024


def test_a_release_paired_with_itself_has_a_ratio_of_every_metric(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "REFERENCE", INSTALLED)
    monkeypatch.setattr(reference, "FORKS", 3)
    steps: list[str] = []
    found = reference.paired(
        INSTALLED, ("fork_dispose",), 2, lambda _: Path(sys.executable), server, PROFILES["quick"],
        steps.append, seed=1,
    )["fork_dispose"]  # fmt: skip
    assert set(found.logs) == set(METRICS) - reference.REDUNDANT
    assert all(len(logs) == 2 for logs in found.logs.values())
    # The same memory on both sides, to a per cent; times are left alone, since the machine may be busy.
    assert exp(median(found.logs["rss"])) == pytest.approx(1, abs=0.01)
    assert 1e6 < found.sizes["uss"] < 1e8
    assert any("pair 2 of 2" in step for step in steps)


@pytest.mark.slow
def test_functions_that_nothing_calls_are_no_change_of_a_forked_workers_memory(
    server: Server, tmp_path: Path
) -> None:
    # They move what is imported after them. Unless that is scattered, they make it look larger.
    packages = [f"sqlalchemy=={(release := '2.1.8')}", *venvs.pins(interpreters.pinned())]
    plain, changed = (venvs.python_with(packages, tmp_path / name) for name in ("plain", "changed"))
    unused = "".join(
        f"def _unused_{i}(a, b={i}, *c):\n    return [a, b, c, 'unused {i}']\n" for i in range(30)
    )
    for file in ("engine/base.py", "pool/base.py", "util/langhelpers.py"):
        injected.inject(replace(injected.NOTHING, file=file, insertion=unused), changed)
    sides = iter([plain, changed])
    found = reference.paired(
        release, ("nullpool",), 20, lambda _: next(sides), server, PROFILES["quick"], lambda _: None,
        before=release,
    )  # fmt: skip
    assert exp(mean(found["nullpool"].logs["uss"])) == pytest.approx(1, abs=0.01)
