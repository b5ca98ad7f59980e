"""The container engine, through its own client, so that contexts and `DOCKER_HOST` apply."""

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
"""The folder of `docker-compose.yml`."""

ANSWER_DEADLINE = 20.0
"""Seconds for the engine or compose to answer."""

ALTERNATIVE = "or use the embedded server (POOLSTART_SERVER=embedded)"


class NoEngine(PoolstartError):
    """There is no engine on this machine, and so no service."""


ERROR_WORD = re.compile("error|cannot|denied|failed|no such|invalid", re.IGNORECASE)

PROGRESS = re.compile(r"(Container|Network|Volume) \S+ +\w+")
"""A line of compose v2's progress, which may end in `Error` but does not say why."""


@dataclass(frozen=True)
class Answer:
    """The exit status and output of a client program."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The line of standard error that says what went wrong.

        It is neither first nor last: compose v2 begins with its progress, and v1 ends with a summary.
        """
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        errors = [line for line in lines if ERROR_WORD.search(line) and not PROGRESS.fullmatch(line)]
        reason = (errors or lines or [f"exit status {self.code}"])[0]
        # "... is invalid because:"
        following = lines[lines.index(reason) + 1 :] if reason.endswith(":") else []
        return " ".join([reason, *following[:1]])


def ask(
    command: Sequence[str], deadline: float = ANSWER_DEADLINE, variables: Mapping[str, str] | None = None
) -> Answer:
    """Run a client program in the project's directory. `variables` are added to its environment.

    Raises `PoolstartError` if it cannot be run, or has not ended after `deadline` seconds.
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
                f"check the container engine, {ALTERNATIVE}",
            ) from None
    return Answer(process.returncode, out, err)


def require() -> None:
    """Raises `NoEngine` if there is no engine, and `PoolstartError` if it does not answer."""
    if shutil.which("docker") is None:
        raise NoEngine("there is no container engine: no program `docker`", f"install Docker, {ALTERNATIVE}")
    answer = ask(["docker", "version", "--format", "{{.Server.Version}}"])
    if answer.code == 0:
        return
    if "permission denied" in answer.err.lower():
        raise PoolstartError(
            "no permission on the container engine's socket",
            f"run as a user who may use it, often one in the group docker, {ALTERNATIVE}",
        )
    raise PoolstartError(
        f"the container engine does not answer: {answer.reason}",
        f"start it, or set DOCKER_HOST to it, {ALTERNATIVE}",
    )


def compose_program() -> list[str]:
    """The command that runs compose, v2 or else v1. Raises `NoEngine` if neither is installed."""
    if ask(["docker", "compose", "version", "--short"]).code == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise NoEngine(
        "the container engine has no compose",
        "install compose v2 (`docker compose`) or v1 (`docker-compose`), " + ALTERNATIVE,
    )
