"""Each failure of a container is reported in one line that says what to do."""

import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.container import Project

pytestmark = pytest.mark.slow


def message_of(ran: "subprocess.CompletedProcess[str]") -> str:
    """The last line on standard error, without the name of the program; before it there is only progress."""
    assert ran.returncode == 2, ran.stdout
    *progress, line = ran.stderr.splitlines()
    assert line.startswith("poolstart: ")
    assert not any(step.startswith(("poolstart: ", "Traceback")) for step in progress), ran.stderr
    return line.removeprefix("poolstart: ")


def test_no_engine(any_project: Project, tmp_path: Path) -> None:
    dead = any_project.having(DOCKER_HOST=f"unix://{tmp_path}/dead.sock")
    assert message_of(dead.poolstart("postgres", "up")).startswith("the container engine does not answer: ")
    # It is an error only if the container is required.
    assert message_of(dead.having(POOLSTART_SERVER="container").located()).startswith(
        "the container engine does not"
    )
    assert dead.located().returncode == 0


def test_no_image_to_pull(project: Project) -> None:
    line = message_of(project.having(POOLSTART_PG_MAJOR="3").poolstart("postgres", "up"))
    assert line.startswith("the image postgres:3 is not here and cannot be pulled: ")
    assert project.remains() == []


def test_port_taken(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = message_of(project.having(POOLSTART_PG_PORT=str(port)).poolstart("postgres", "up"))
    assert line == f"port {port} of 127.0.0.1 is taken; set POOLSTART_PG_PORT to a free one and try again"
    assert project.remains() == []


def test_a_variable_that_compose_rejects(project: Project) -> None:
    line = message_of(project.having(POOLSTART_PG_PORT="none").poolstart("postgres", "up"))
    assert line.startswith("compose failed at `config`: ")
    assert "none" in line or "port" in line.lower()


def test_a_container_that_dies_at_start_is_reported_with_its_last_line(project: Project) -> None:
    dying = project.having(POOLSTART_PG_AUTH="nonsense")
    line = message_of(dying.poolstart("postgres", "up"))
    assert line.startswith("the container is stopped (exited, exit status ")
    assert "pg_hba.conf" in line

    status = project.poolstart("postgres", "status")
    assert status.returncode == 1
    assert "pg_hba.conf" in status.stdout
