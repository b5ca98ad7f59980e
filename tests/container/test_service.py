"""The compose service: started, found, told apart in each of its states, and gone."""

from collections.abc import Callable

import psycopg2
import pytest

from harness.postgres.settings import SETTINGS
from tests.container.conftest import Project

pytestmark = pytest.mark.slow

Say = Callable[[str], None]


def test_up_measures_and_down_leaves_nothing(project: Project, say: Say) -> None:
    version = project.compose("version", "--short")
    up = project.poolstart("postgres", "up")
    assert up.returncode == 0, up.stderr
    status = project.poolstart("postgres", "status")
    assert status.returncode == 0
    assert "compose service: running" in status.stdout
    assert "asv run would use: container-" in status.stdout
    assert "-tcp-scram-sha-256 at 127.0.0.1:" in status.stdout

    down = project.poolstart("postgres", "down")
    assert down.returncode == 0, down.stderr
    assert project.remains() == []
    absent = project.poolstart("postgres", "status")
    assert absent.returncode == 1
    assert "compose service: absent" in absent.stdout
    assert "asv run would use: embedded-" in absent.stdout
    say(f"compose {version}\n{up.stdout}\n{status.stdout}\n{down.stdout}")


def test_a_service_started_by_compose_itself_is_found_while_it_starts(project: Project) -> None:
    project.compose("up", "-d")
    found = project.located()
    assert found.stdout.startswith("container-"), found.stderr
    project.compose("down", "--volumes")
    assert project.remains() == []


def test_the_server_runs_with_the_settings_of_the_embedded_one(any_project: Project) -> None:
    any_project.poolstart("postgres", "up")
    for name, value in SETTINGS.items():
        shown = any_project.must(
            "docker", "exec", any_project.container, "psql", "-XtAU", "postgres", "-c", f"show {name}"
        )
        assert shown == value, name


def test_a_stopped_service_is_an_error_and_an_absent_one_is_not(project: Project) -> None:
    absent = project.having(POOLSTART_SERVER="container").located()
    assert absent.returncode == 2
    assert absent.stderr == "poolstart: the compose service is not there; run `poolstart postgres up`\n"

    project.compose("up", "-d")
    project.compose("stop")
    for stopped in (project.located(), project.having(POOLSTART_SERVER="container").located()):
        assert stopped.returncode == 2
        assert stopped.stderr == (
            "poolstart: the compose service is stopped (exited, exit status 0); "
            "run `poolstart postgres up` to use it, or `poolstart postgres down` to do without it\n"
        )


def test_tls_is_had_by_asking_for_it(any_project: Project) -> None:
    up = any_project.having(POOLSTART_TLS="on").poolstart("postgres", "up")
    assert up.returncode == 0, up.stderr
    assert "-tls-scram-sha-256 at 127.0.0.1:" in up.stdout


def test_authentication_can_be_chosen_and_is_told(any_project: Project) -> None:
    up = any_project.having(POOLSTART_PG_AUTH="trust").poolstart("postgres", "up")
    assert "-tcp-trust at 127.0.0.1:" in up.stdout


def test_nobody_gets_in_without_the_password(any_project: Project) -> None:
    port = any_project.poolstart("postgres", "up").stdout.rpartition(":")[2].strip()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(f"postgresql://postgres:wrong@127.0.0.1:{port}/postgres")
