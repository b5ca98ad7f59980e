"""The containerized PostgreSQL of `docker-compose.yml`, found and handled by asking compose.

Works with compose v2 and v1: only what both understand is used, so readiness is polled for (v1 has no
`up --wait`) and details come from the engine itself (their `ps` formats differ).
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

from sqlalchemy.engine import URL

from harness.postgres import engine
from harness.postgres.server import CONNECT_TIMEOUT, libpq_url
from harness.processes.wait import wait_until
from harness.system.errors import PoolstartError

SERVICE = "postgres"
"""The service's name in `docker-compose.yml`."""

PULL_DEADLINE = 900.0
"""Seconds the image has to be pulled."""

UP_DEADLINE = 120.0
"""Seconds compose has to create or to remove the container."""

READY_DEADLINE = 60.0
"""Seconds a started container has to become healthy."""

SETTLE_DEADLINE = 15.0
"""Seconds a container found half-started is waited for."""

LAST_LINES = 5
"""How much of the log of a container that died is told."""


@dataclass(frozen=True)
class Service:
    """The service as the engine knows it."""

    state: str
    """`absent`, `stopped`, `starting`, `unhealthy` or `running` (and healthy)."""
    container: str = ""
    detail: str = ""
    """The exit status of a stopped one."""
    failed: bool = False
    """Whether its log says why."""
    url: str = ""
    """The libpq URL of a running one."""

    def __str__(self) -> str:
        return f"{self.state} ({self.detail})" if self.detail else self.state

    @classmethod
    def from_inspection(cls, seen: dict[str, Any]) -> "Service":
        """From the engine's own description of the container."""
        state = seen["State"]
        if not state["Running"] or state["Paused"]:
            code = state["ExitCode"]
            return cls("stopped", seen["Id"], f"{state['Status']}, exit status {code}", failed=code != 0)
        health = state.get("Health", {}).get("Status", "healthy")
        if health != "healthy":
            return cls(health, seen["Id"], failed=health == "unhealthy")
        environment = dict(entry.split("=", 1) for entry in seen["Config"]["Env"])
        (published, *_) = seen["NetworkSettings"]["Ports"]["5432/tcp"]
        url = URL.create(
            "postgresql",
            environment["POSTGRES_USER"],
            environment["POSTGRES_PASSWORD"],
            published["HostIp"],
            int(published["HostPort"]),
            environment["POSTGRES_DB"],
        )
        return cls("running", seen["Id"], url=libpq_url(url))


class Compose:
    """compose, with an engine that answers; raises `PoolstartError` where either is missing.

    `variables` are environment variables for compose alone: those of `docker-compose.yml`, or
    `COMPOSE_PROJECT_NAME` for a service beside the user's own.
    """

    def __init__(self, **variables: str) -> None:
        engine.require()
        self._variables = variables
        self._program = engine.compose_program()

    def service(self) -> Service:
        """The service as it is now."""
        containers = self._must("ps", "--all", "--quiet").out.split()
        if not containers:
            return Service("absent")
        inspected = engine.ask(["docker", "inspect", *containers])
        # A container may have gone since compose named it.
        if inspected.code != 0 and "no such" not in inspected.err.lower():
            raise PoolstartError(
                f"the container engine does not answer: {inspected.reason}",
                f"see to the container engine, {engine.ALTERNATIVE}",
            )
        try:
            for seen in json.loads(inspected.out or "[]"):
                if seen["Config"]["Labels"].get("com.docker.compose.service") == SERVICE:
                    return Service.from_inspection(seen)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PoolstartError(
                f"the container engine's description of the service is not understood: {error!r}",
                f"`poolstart postgres down` and `up` make the service anew, {engine.ALTERNATIVE}",
            ) from None
        return Service("absent")

    def settled(self, deadline: float) -> Service:
        """The service once it is no longer starting, or when the deadline has passed."""
        return wait_until(
            self.service, deadline, accept=lambda service: service.state != "starting", poll=0.2
        )

    def up(self, report: Callable[[str], None]) -> Service:
        """Start the service and wait until it is healthy; `report` hears of every step."""
        self._provide_image(report)
        report("starting the container")
        answer = self._ask("up", "-d", deadline=UP_DEADLINE)
        if answer.code != 0:
            # What compose leaves of a failed start is a container that never ran.
            self.down()
            raise self._start_problem(answer)
        report("waiting for the server to be ready")
        service = self.settled(READY_DEADLINE)
        if service.state == "running":
            return service
        raise PoolstartError(
            f"the container is {service}: {self.last_lines(service)}",
            "mend the reason, then `poolstart postgres up` again",
        )

    def down(self) -> None:
        """Remove the service with its network and volumes; nothing happens when it is absent."""
        self._must("down", "--volumes", deadline=UP_DEADLINE)

    @contextmanager
    def lent(self, report: Callable[[str], None]) -> Iterator[Service]:
        """A running service that ends with the context, or with this process, `kill -9` included.

        The engine owns containers, so supervision does not reach them: a shell waits for the end of its
        input, however it comes, and then asks compose to remove the service.
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
        """The end of the container's log in one line."""
        answer = engine.ask(["docker", "logs", "--tail", str(LAST_LINES), service.container])
        # The server logs to standard error, the entrypoint to both.
        lines = [line.strip() for line in (answer.out + answer.err).splitlines() if line.strip()]
        return " | ".join(lines[-LAST_LINES:]) or "it said nothing"

    def _provide_image(self, report: Callable[[str], None]) -> None:
        image = "".join(re.findall(r"^ *image: *(\S+)$", self._must("config").out, re.MULTILINE))
        if engine.ask(["docker", "image", "inspect", image]).code == 0:
            return
        report(f"pulling {image}")
        answer = engine.ask(["docker", "pull", "--quiet", image], PULL_DEADLINE)
        if answer.code != 0:
            raise PoolstartError(
                f"the image {image} is not here and cannot be pulled: {answer.reason}",
                "see that its registry can be reached and that POOLSTART_PG_MAJOR is a version it has",
            )

    @staticmethod
    def _start_problem(answer: engine.Answer) -> PoolstartError:
        if re.search("port is already allocated|address already in use", answer.err):
            port = "".join(re.findall(r"127\.0\.0\.1:(\d+)", answer.err)[:1])
            return PoolstartError(
                f"port {port} of 127.0.0.1 is taken", "set POOLSTART_PG_PORT to a free one and try again"
            )
        return PoolstartError(
            f"compose could not start the container: {answer.reason}", "mend the reason and try again"
        )

    def _ask(self, *arguments: str, deadline: float = engine.ANSWER_DEADLINE) -> engine.Answer:
        return engine.ask([*self._program, *arguments], deadline, self._variables)

    def _must(self, *arguments: str, deadline: float = engine.ANSWER_DEADLINE) -> engine.Answer:
        answer = self._ask(*arguments, deadline=deadline)
        if answer.code != 0:
            raise PoolstartError(
                f"compose failed at `{arguments[0]}`: {answer.reason}",
                "see docker-compose.yml and the POOLSTART_PG_ variables it names",
            )
        return answer


def published() -> bool:
    """Whether anybody accepts connections at the port of 127.0.0.1 that the service has."""
    text = (engine.PROJECT / "docker-compose.yml").read_text()
    (default,) = re.findall(r"\$\{POOLSTART_PG_PORT:-(\d+)\}", text)
    port = os.environ.get("POOLSTART_PG_PORT") or default
    try:
        with socket.create_connection(("127.0.0.1", int(port)), timeout=CONNECT_TIMEOUT):
            return True
    except (OSError, ValueError, OverflowError):
        return False


def service_url(required: bool = False) -> str | None:
    """The URL of the running service; None when there is none (an error when `required`).

    A service that is there and not usable is an error either way: measuring another server than the one
    that was set up would go unnoticed. So is an engine that cannot be asked (it does not answer, or not to
    this user) as long as somebody listens where the service would.
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
        raise PoolstartError("the compose service is not there", "run `poolstart postgres up`")
    raise PoolstartError(
        f"the compose service is {service}",
        "run `poolstart postgres up` to use it, or `poolstart postgres down` to do without it",
    )
