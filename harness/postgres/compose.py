"""The PostgreSQL service of `docker-compose.yml`, found, started and removed through compose.

Only features that both compose v1 and v2 have are used: readiness is polled, because v1 has no `up --wait`,
and details are read from the engine, because the formats of `ps` differ.
"""

import json
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.postgres import engine
from harness.postgres.server import CONNECT_TIMEOUT
from harness.postgres.url import render
from harness.processes.wait import wait_until
from harness.system.errors import PoolstartError

SERVICE = "postgres"
"""The service's name in `docker-compose.yml`."""

FILE = "docker-compose.yml"

PULL_DEADLINE = 900.0
"""Seconds for pulling the image."""

UP_DEADLINE = 120.0
"""Seconds for compose to create or to remove the container."""

READY_DEADLINE = 60.0
"""Seconds for a started container to become healthy."""

SETTLE_DEADLINE = 15.0
"""Seconds to wait for a container that was starting already."""

LAST_LINES = 5
"""Lines of the log of a failed container that are shown."""


@dataclass(frozen=True)
class Service:
    """The state of the service."""

    state: str
    """`absent`, `stopped`, `starting`, `unhealthy` or `running` (and healthy)."""
    container: str = ""
    detail: str = ""
    """The exit status of a stopped container."""
    failed: bool = False
    """Whether its log gives the reason."""
    url: str = ""
    """The libpq URL of a running service."""

    def __str__(self) -> str:
        return f"{self.state} ({self.detail})" if self.detail else self.state

    @classmethod
    def from_inspection(cls, container: dict[str, Any]) -> "Service":
        """Read `docker inspect`'s description of the container. Raises KeyError if something is missing."""
        state = container["State"]
        if not state["Running"] or state["Paused"]:
            code = state["ExitCode"]
            return cls("stopped", container["Id"], f"{state['Status']}, exit status {code}", failed=code != 0)
        health = state.get("Health", {}).get("Status", "healthy")
        if health != "healthy":
            return cls(health, container["Id"], failed=health == "unhealthy")
        environment = dict(entry.split("=", 1) for entry in container["Config"]["Env"])
        (published, *_) = container["NetworkSettings"]["Ports"]["5432/tcp"]
        url = render(
            {
                "user": environment["POSTGRES_USER"],
                "password": environment["POSTGRES_PASSWORD"],
                "host": published["HostIp"],
                "port": published["HostPort"],
                "dbname": environment["POSTGRES_DB"],
            }
        )
        return cls("running", container["Id"], url=url)


class Compose:
    """The compose program, with an engine that answers.

    Creating it raises `PoolstartError` if either is missing, and so do its methods if they fail. `variables`
    are environment variables for compose only: those of `docker-compose.yml`, or `COMPOSE_PROJECT_NAME` for a
    service beside the user's own.
    """

    def __init__(self, **variables: str) -> None:
        if not (engine.PROJECT / FILE).exists():
            raise engine.NoEngine(
                f"no {FILE}: poolstart was installed without it", f"run it from a clone, {engine.ALTERNATIVE}"
            )
        engine.require()
        self._variables = variables
        self._program = engine.compose_program()

    def service(self) -> Service:
        """The current state of the service."""
        containers = self._must("ps", "--all", "--quiet").out.split()
        if not containers:
            return Service("absent")
        inspected = engine.ask(["docker", "inspect", *containers])
        # A container may have been removed since compose listed it.
        if inspected.code != 0 and "no such" not in inspected.err.lower():
            raise PoolstartError(
                f"the container engine does not answer: {inspected.reason}",
                f"check the container engine, {engine.ALTERNATIVE}",
            )
        try:
            for container in json.loads(inspected.out or "[]"):
                if container["Config"]["Labels"].get("com.docker.compose.service") == SERVICE:
                    return Service.from_inspection(container)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PoolstartError(
                f"the container engine's description of the service is not understood: {error!r}",
                f"`poolstart postgres down` and `up` create the service again, {engine.ALTERNATIVE}",
            ) from None
        return Service("absent")

    def settled(self, deadline: float) -> Service:
        """The state of the service as soon as it is no longer starting, or after `deadline` seconds."""
        return wait_until(
            self.service, deadline, accept=lambda service: service.state != "starting", poll=0.2
        )

    def up(self, report: Callable[[str], None]) -> Service:
        """Start the service, and wait until it is healthy. `report` is called with each step."""
        self._provide_image(report)
        report("starting the container")
        answer = self._ask("up", "-d", deadline=UP_DEADLINE)
        if answer.code != 0:
            # After a failed start compose leaves a container that never ran.
            self.down()
            raise self._start_problem(answer)
        report("waiting for the server to be ready")
        service = self.settled(READY_DEADLINE)
        if service.state == "running":
            return service
        raise PoolstartError(
            f"the container is {service}: {self.last_lines(service)}",
            "fix the reason, then run `poolstart postgres up` again",
        )

    def down(self) -> None:
        """Remove the service with its network and volumes, if it exists."""
        self._must("down", "--volumes", deadline=UP_DEADLINE)

    @contextmanager
    def running(self, report: Callable[[str], None]) -> Iterator[Service]:
        """A context in which the service runs; it ends with this process, too, even after `kill -9`.

        Containers are processes of the engine, so supervision cannot end them. Instead, a shell waits for the
        end of its input and then lets compose remove the service.
        """
        keeper = subprocess.Popen(
            ["sh", "-c", 'cat; exec "$@"', "sh", *self._program, "down", "--volumes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=engine.PROJECT,
            env={**os.environ, **self._variables},
            start_new_session=True,
        )
        assert keeper.stdin is not None
        try:
            yield self.up(report)
        finally:
            keeper.stdin.close()
            keeper.wait(UP_DEADLINE)

    @staticmethod
    def last_lines(service: Service) -> str:
        """The end of the container's log, in one line."""
        answer = engine.ask(["docker", "logs", "--tail", str(LAST_LINES), service.container])
        # The server logs to standard error, the image's entrypoint to both streams.
        lines = [line.strip() for line in (answer.out + answer.err).splitlines() if line.strip()]
        return " | ".join(lines[-LAST_LINES:]) or "no log"

    def _provide_image(self, report: Callable[[str], None]) -> None:
        image = "".join(re.findall(r"^ *image: *(\S+)$", self._must("config").out, re.MULTILINE))
        if engine.ask(["docker", "image", "inspect", image]).code == 0:
            return
        report(f"pulling {image}")
        answer = engine.ask(["docker", "pull", "--quiet", image], PULL_DEADLINE)
        if answer.code != 0:
            raise PoolstartError(
                f"the image {image} is not here and cannot be pulled: {answer.reason}",
                "check that its registry can be reached, and that it has the version POOLSTART_PG_MAJOR",
            )

    @staticmethod
    def _start_problem(answer: engine.Answer) -> PoolstartError:
        if re.search("port is already allocated|address already in use", answer.err):
            port = "".join(re.findall(r"127\.0\.0\.1:(\d+)", answer.err)[:1])
            return PoolstartError(
                f"port {port} of 127.0.0.1 is taken", "set POOLSTART_PG_PORT to a free one and try again"
            )
        return PoolstartError(
            f"compose could not start the container: {answer.reason}", "fix the reason and try again"
        )

    def _ask(self, *arguments: str, deadline: float = engine.ANSWER_DEADLINE) -> engine.Answer:
        return engine.ask([*self._program, *arguments], deadline, self._variables)

    def _must(self, *arguments: str, deadline: float = engine.ANSWER_DEADLINE) -> engine.Answer:
        answer = self._ask(*arguments, deadline=deadline)
        if answer.code != 0:
            raise PoolstartError(
                f"compose failed at `{arguments[0]}`: {answer.reason}",
                "check docker-compose.yml and the POOLSTART_PG_ variables in it",
            )
        return answer


def published() -> bool:
    """Whether something accepts connections on the service's port of 127.0.0.1."""
    text = (engine.PROJECT / FILE).read_text()
    (default,) = re.findall(r"\$\{POOLSTART_PG_PORT:-(\d+)\}", text)
    port = os.environ.get("POOLSTART_PG_PORT") or default
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=CONNECT_TIMEOUT):
            return True
    except (OSError, ValueError, OverflowError):
        return False


def service_url(required: bool = False) -> str | None:
    """The URL of the running service; None if there is none.

    Raises `PoolstartError` if a service is `required` and there is none. It is also an error if the service
    cannot be used, or if the engine does not answer while something listens on the service's port: otherwise
    another server would be measured unnoticed.
    """
    try:
        compose = Compose()
    except PoolstartError as error:
        if required or (not isinstance(error, engine.NoEngine) and published()):
            raise
        return None
    service = compose.settled(SETTLE_DEADLINE)
    if service.state == "running":
        return service.url
    if service.state == "absent":
        if not required:
            return None
        raise PoolstartError("the compose service does not exist", "run `poolstart postgres up`")
    raise PoolstartError(
        f"the compose service is {service}",
        "run `poolstart postgres up` to use it, or `poolstart postgres down` to remove it",
    )
