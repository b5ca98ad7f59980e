"""A main module that connects is a hazard only where the fork server preloads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import strategies
from harness.hazards.all import preload_main
from harness.hazards.inside.parent import Parent
from harness.postgres.server import Server

# What Python 3.13.8 and 3.14.1 mended: the fork server looks for a name that has long been another one.
MENDED = """\
from multiprocessing import spawn
prepared = spawn.get_preparation_data
def get_preparation_data(name):
    data = prepared(name)
    return {**data, "main_path": data.get("init_main_from_path")}
spawn.get_preparation_data = get_preparation_data
"""


@pytest.fixture(params=["forkserver", "forkserver_preload", "spawn"])
def parent(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[Parent]:
    made = Parent(request.param, server, tmp_path)
    yield made
    made.close()


def test_workers_share_the_connection_of_a_preloaded_script(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload_main, "SCRIPT", MENDED + preload_main.SCRIPT)
    # Those who name what is to be preloaded leave the script out.
    assert preload_main.reproduce(parent) == (parent.strategy.id == "forkserver")


def test_workers_have_connections_of_their_own_without_preloading(parent: Parent) -> None:
    if not preload_main.preloads_main():
        assert not preload_main.reproduce(parent)


@pytest.mark.parametrize(
    ("version", "preloads"),
    [((3, 11, 7), False), ((3, 13, 7), False), ((3, 13, 8), True), ((3, 14, 0), False), ((3, 14, 1), True)],
)
def test_the_hazard_applies_to_versions_of_python_that_preload(
    version: tuple[int, int, int], preloads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preload_main.sys, "version_info", version)
    assert not preload_main.HAZARD.not_applicable(strategies.get("forkserver"))
    assert bool(preload_main.HAZARD.missing()) != preloads
