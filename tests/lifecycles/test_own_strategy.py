"""A strategy of the user's own, in a folder of the user's own, is measured as ours are."""

from pathlib import Path

from harness.postgres import locate
from harness.postgres.server import Server
from harness.system.environment import ROOT
from tests.support.command import poolstart

OWN = """
from harness.strategies import Strategy


def in_worker(engine):
    engine.dispose(close=False)
    return engine


def create(url):
    from sqlalchemy import create_engine

    return create_engine(url)


SAID = {"title": "ours", "safe": True, "choose": "", "docs": ""}
OURS = Strategy(id="ours", start_method="fork", in_worker=in_worker, **SAID)
SPAWNED = Strategy(id="spawned", start_method="spawn", in_worker=create, **SAID)
"""


def test_it_is_found_by_parent_and_worker_and_passes_the_guards(server: Server, tmp_path: Path) -> None:
    package = tmp_path / "src" / "application"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "workers.py").write_text(OWN)
    done = poolstart(
        *("measure", "--dataframe", "none"),
        *("--strategy", "application.workers:OURS", "--strategy", "application.workers:SPAWNED"),
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path / "src"),
        POOLSTART_PROFILE="quick",
        COLUMNS="100",
        **{locate.RUN: server.to_json()},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert {"application.workers:OURS", "application.workers:SPAWNED"} <= set(done.stdout.split())


def test_the_suite_itself_is_no_place_of_a_users_own() -> None:
    from harness import strategies

    assert strategies.places("fork_dispose") == ()
    assert strategies.places("harness.strategies.catalogue:CATALOGUE") == ()
    assert strategies.places("pytest:main") == ()
    assert ROOT not in strategies.places("json:loads")
