"""The compose file and what is made of the engine's answers, without an engine."""

import re
from pathlib import Path
from typing import Any

import pytest

from harness.postgres import compose
from harness.postgres.compose import Service
from harness.postgres.embedded import SETTINGS
from harness.postgres.engine import PROJECT, Answer
from harness.system.errors import PoolstartError

COMPOSE_FILE = (PROJECT / "docker-compose.yml").read_text()


def test_the_container_has_the_settings_of_the_embedded_server() -> None:
    assert dict(re.findall(r"^ +- -c(\w+)=(.*)$", COMPOSE_FILE, re.MULTILINE)) == SETTINGS


def test_the_major_version_is_pinned_once() -> None:
    image = re.findall(r"^ +image: (.*)$", COMPOSE_FILE, re.MULTILINE)
    assert len(image) == 1
    assert re.fullmatch(r"postgres:\$\{POOLSTART_PG_MAJOR:-\d+\}", image[0])


@pytest.mark.parametrize("key", ["version", "name"])
def test_nothing_that_one_compose_version_rejects_is_in_the_file(key: str) -> None:
    assert not re.search(rf"^{key}:", COMPOSE_FILE, re.MULTILINE)
    assert not re.search(r"^ +(ulimits|start_interval):", COMPOSE_FILE, re.MULTILINE)


def inspection(running: bool = True, health: str = "healthy", code: int = 0) -> dict[str, Any]:
    """What an engine says of a container, as far as it is read."""
    return {
        "Id": "c0ffee",
        "State": {
            "Running": running,
            "Paused": False,
            "Status": "running" if running else "exited",
            "ExitCode": code,
            "Health": {"Status": health},
        },
        "Config": {"Env": ["POSTGRES_USER=me", "POSTGRES_PASSWORD=a@b", "POSTGRES_DB=mine", "PATH=/bin"]},
        "NetworkSettings": {"Ports": {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5999"}]}},
    }


def test_a_healthy_container_is_a_running_service_with_the_url_it_was_given() -> None:
    service = Service.from_inspection(inspection())
    assert (str(service), service.url) == ("running", "postgresql://me:a%40b@127.0.0.1:5999/mine")


@pytest.mark.parametrize(
    ("seen", "message", "failed"),
    [
        (inspection(health="starting"), "starting", False),
        (inspection(health="unhealthy"), "unhealthy", True),
        (inspection(running=False), "stopped (exited, exit status 0)", False),
        (inspection(running=False, code=1), "stopped (exited, exit status 1)", True),
    ],
)
def test_a_service_that_cannot_be_used_says_how_it_is(
    seen: dict[str, Any], message: str, failed: bool
) -> None:
    service = Service.from_inspection(seen)
    assert (str(service), service.failed, service.url) == (message, failed, "")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (" Container x  Creating\nError response from daemon: no\n", "Error response from daemon: no"),
        ("ERROR: for x  Cannot start\nERROR: Encountered errors.\n", "ERROR: for x  Cannot start"),
        ("The file is invalid because:\nports is wrong\n", "The file is invalid because: ports is wrong"),
        ("out of luck\n", "out of luck"),
        ("", "exit status 3"),
    ],
)
def test_the_line_that_says_what_went_wrong_is_found(said: str, reason: str) -> None:
    assert Answer(3, "", said).reason == reason


def test_without_an_engine_only_who_asks_for_the_container_hears_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compose.service_url() is None
    with pytest.raises(PoolstartError, match="there is no container engine"):
        compose.service_url(required=True)


def test_an_installation_without_the_compose_file_has_no_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compose.engine, "PROJECT", tmp_path)
    assert compose.service_url() is None
    with pytest.raises(
        PoolstartError, match=r"installed without it; run it from a clone, or use the embedded"
    ):
        compose.service_url(required=True)
