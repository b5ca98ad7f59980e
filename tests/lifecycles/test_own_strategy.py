"""A strategy of the user's own, in a directory of the user's own, is measured like the built-in ones."""

import re
from pathlib import Path

from harness.postgres import locate
from harness.postgres.server import Server
from harness.system.environment import ROOT
from tests.support.command import poolstart

SPAWNED = """
from harness.strategies import Strategy


def create(url):
    from sqlalchemy import create_engine

    return create_engine(url)


SPAWNED = Strategy(
    id="spawned", title="ours", start_method="spawn", in_worker=create, safe=True, choose="", docs=""
)
"""


PRELOADING = """
PRELOADING = Strategy(
    id="preloading", title="ours", start_method="forkserver", preload=("sqlalchemy",), in_worker=create,
    safe=True, choose="", docs=""
)
"""


def module_of_the_documentation() -> str:
    """The code of a strategy in docs/track.md."""
    text = (ROOT / "docs" / "track.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return str(code)


def test_it_is_imported_by_parent_and_worker_and_passes_the_checks(server: Server, tmp_path: Path) -> None:
    package = tmp_path / "src" / "mypackage"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "workers.py").write_text(module_of_the_documentation())
    (package / "spawned.py").write_text(SPAWNED + PRELOADING)
    names = (
        *("mypackage.workers:STRATEGY", "mypackage.spawned:SPAWNED"),
        *("mypackage.spawned:PRELOADING", "forkserver_preload"),
    )
    done = poolstart(
        *("measure", "--dataframe", "none", *(f"--strategy={name}" for name in names)),
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path / "src"),
        POOLSTART_PROFILE="quick",
        COLUMNS="200",
        **{locate.RUN: server.to_json()},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert {"ours", "spawned"} <= set(done.stdout.split())
    # A fork server that preloads another driver than the engine uses, and one that preloads this one.
    assert re.findall("warning: .*", done.stdout) == [
        "warning: mypackage.spawned:PRELOADING: the engine uses psycopg2, which the fork server has not"
        " preloaded; let it preload sqlalchemy.dialects.postgresql.psycopg2, psycopg2.extras"
    ]


def test_no_directory_is_added_for_strategies_of_the_suite_or_of_installed_packages() -> None:
    from harness import strategies

    assert strategies.places("fork_dispose") == ()
    assert strategies.places("harness.strategies.catalogue:CATALOGUE") == ()
    assert strategies.places("pytest:main") == ()
    assert ROOT not in strategies.places("json:loads")
