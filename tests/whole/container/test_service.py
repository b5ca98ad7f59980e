"""The compose service: started, found, reported in each of its states, and removed."""

import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from harness.comparisons import servers
from harness.postgres.embedded import SETTINGS
from tests.support.container import DEADLINE, Project

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


def test_the_server_has_the_settings_of_the_embedded_one_and_asks_for_a_password(
    any_project: Project,
) -> None:
    port = any_project.poolstart("postgres", "up").stdout.rpartition(":")[2].strip()
    url = f"postgresql://postgres:{{}}@127.0.0.1:{port}/postgres"
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url.format("wrong"))
    connection = psycopg2.connect(url.format("poolstart"))
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(
            "select name, current_setting(name) from pg_settings where name = any(%s)", [list(SETTINGS)]
        )
        assert dict(cursor.fetchall()) == SETTINGS


def test_a_stopped_service_is_an_error_and_an_absent_one_is_not(project: Project) -> None:
    absent = project.having(POOLSTART_SERVER="container").located()
    assert absent.returncode == 2
    assert absent.stderr == "poolstart: the compose service does not exist; run `poolstart postgres up`\n"

    project.compose("up", "-d")
    project.compose("stop")
    for stopped in (project.located(), project.having(POOLSTART_SERVER="container").located()):
        assert stopped.returncode == 2
        assert re.fullmatch(
            r"poolstart: the compose service is stopped \(exited, exit status \d+\); "
            "run `poolstart postgres up` to use it, or `poolstart postgres down` to remove it\n",
            stopped.stderr,
        )


def test_a_lent_service_does_not_outlive_its_owner(any_project: Project) -> None:
    lend = (
        "import os, signal\n"
        "from harness.postgres.compose import Compose\n"
        "with Compose().running(lambda _: None) as service:\n"
        "    assert service.state == 'running'\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ran = any_project.run(sys.executable, "-c", lend)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    until = time.monotonic() + DEADLINE
    while any_project.remains():
        assert time.monotonic() < until, "the service is still there"
        time.sleep(0.2)


def test_servers_are_compared_layer_by_layer_and_removed(
    any_project: Project, tmp_path: Path, say: Say
) -> None:
    file = tmp_path / "servers.json"
    # Not `poolstart record servers`, which would replace the record.
    program = (
        "import sys; from pathlib import Path\n"
        "from harness.comparisons import servers; from harness.lifecycles import profile\n"
        "from harness.records import store\n"
        "store.save(Path(sys.argv[1]), servers.compare(profile.current(), print))"
    )
    ran = any_project.having(POOLSTART_PROFILE="quick").run(sys.executable, "-c", program, str(file))
    assert ran.returncode == 0, ran.stderr
    say(ran.stdout)
    measured = servers.load(file)
    kinds = [server.server.split("-", 2)[0::2] for server in measured.servers]
    assert kinds == [
        ["embedded", "tcp-trust"],
        ["container", "tcp-trust"],
        ["container", "tcp-scram-sha-256"],
        ["container", "tls-scram-sha-256"],
    ]
    counts = {len(figures) for server in measured.servers for figures in server.samples.values()}
    assert len(counts) == 1
    assert all(figure > 0 for server in measured.servers for f in server.samples.values() for figure in f)
    names = any_project.must("docker", "ps", "--all", "--format", "{{.Names}}")
    assert "poolstart-compare" not in names
