"""The container engine: asked through its own client, so that contexts and `DOCKER_HOST` hold."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.processes.supervision import Supervision
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

PROJECT = ROOT
"""Where `docker-compose.yml` is."""

ANSWER_DEADLINE = 20.0
"""Seconds a question to the engine or to compose has."""

ALTERNATIVE = "or use the embedded server (POOLSTART_SERVER=embedded)"


class NoEngine(PoolstartError):
    """This machine has none, so that it cannot run a service either."""


TELLS = re.compile("error|cannot|denied|failed|no such|invalid", re.IGNORECASE)

PROGRESS = re.compile(r"(Container|Network|Volume) \S+ +\w+")
"""A line of compose v2's progress; `Network poolstart_default Error` says where, and not what."""


@dataclass(frozen=True)
class Answer:
    """What a client program said."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The line of standard error that says what went wrong.

        compose v1 ends with a line that only says that there were errors, v2 begins with its progress.
        """
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        told = [line for line in lines if TELLS.search(line) and not PROGRESS.fullmatch(line)]
        reason = (told or lines or [f"exit status {self.code}"])[0]
        # "... is invalid because:"
        following = lines[lines.index(reason) + 1 :] if reason.endswith(":") else []
        return " ".join([reason, *following[:1]])


def ask(
    command: Sequence[str], deadline: float = ANSWER_DEADLINE, variables: Mapping[str, str] | None = None
) -> Answer:
    """Run a client program in the project's directory, to its end or to the deadline.

    `variables` are added to its environment.
    """
    with Supervision() as supervision:
        try:
            process = supervision.start(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                cwd=PROJECT,
                env={**os.environ, **(variables or {})},
            )
        except OSError as error:
            raise PoolstartError(
                f"the program `{command[0]}` does not run: {error.strerror}", f"reinstall it, {ALTERNATIVE}"
            ) from None
        try:
            out, err = process.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            raise PoolstartError(
                f"`{' '.join(command)}` did not answer in {deadline:g} s",
                f"see to the container engine, {ALTERNATIVE}",
            ) from None
    return Answer(process.returncode, out, err)


def require() -> None:
    """Raise `PoolstartError` unless an engine answers."""
    if shutil.which("docker") is None:
        raise NoEngine("there is no container engine: no program `docker`", f"install Docker, {ALTERNATIVE}")
    answer = ask(["docker", "version", "--format", "{{.Server.Version}}"])
    if answer.code == 0:
        return
    if "permission denied" in answer.err.lower():
        raise PoolstartError(
            "no permission on the container engine's socket",
            f"run as a user who may use it (often: of the group docker), {ALTERNATIVE}",
        )
    raise PoolstartError(
        f"the container engine does not answer: {answer.reason}",
        f"start it, or set DOCKER_HOST to it, {ALTERNATIVE}",
    )


def compose_program() -> list[str]:
    """How compose is called here: v2 where it is installed, else v1."""
    if ask(["docker", "compose", "version", "--short"]).code == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise NoEngine(
        "the container engine has no compose",
        "install compose v2 (`docker compose`) or v1 (`docker-compose`), " + ALTERNATIVE,
    )
