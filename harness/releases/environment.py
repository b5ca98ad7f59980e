"""The virtual environments that releases are measured in."""

import re
import subprocess
import sys
from typing import Any

from asv import util
from asv.config import Config
from asv.plugins.virtualenv import Virtualenv
from asv.runner import BENCHMARK_RUN_SCRIPT

from harness.outside import profile
from harness.postgres import locate
from harness.releases import run
from harness.releases.asv_errors import told_by_asv

RUNNER = "pip+asv_runner"

SERVED = ("setup_cache", "run", "run_server")
"""The commands of asv's benchmark script that may need a server."""

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"

INTERPRETER = "import sys; print(repr(sys.version))"

REASON = re.compile(r"^(?:poolstart|harness\.system\.errors\.PoolstartError): (?P<reason>.+)$", re.MULTILINE)
"""How a benchmark process tells why it failed, or has no result: by itself, or at the end of a traceback."""


class ReleaseEnvironment(Virtualenv):
    """asv's virtualenv for SQLAlchemy releases, with a PostgreSQL for what runs in it.

    The server and the profile are tagged as `env_nobuild`: they tell series of results apart, and
    share the environment on disk.
    """

    tool_name = "release"

    def __init__(
        self,
        conf: Config,
        python: str,
        requirements: dict[str, str],
        tagged_env_vars: dict[tuple[str, str], str],
    ) -> None:
        with told_by_asv():
            tags = {"postgres": locate.identity(), **profile.tags()}
        tagged_env_vars = {**tagged_env_vars, **{("nobuild", name): value for name, value in tags.items()}}
        super().__init__(conf, python, requirements, tagged_env_vars)
        if python == RUNNING:
            # asv takes the first python of that version on PATH, which may be another build.
            self._executable = sys.executable
        # asv adds what building a project may need, unpinned; wheels need none of it.
        for requirement in self._base_requirements.keys() - {RUNNER}:
            del self._base_requirements[requirement]

    def check_presence(self) -> bool:
        """Whether the environment is there, made by the interpreter that it would be made by now."""
        if not super().check_presence():
            return False
        if self._executable != sys.executable:
            return True
        return str(self.run_executable("python", ["-c", INTERPRETER])).strip() == repr(sys.version)

    def create(self) -> None:
        super().create()
        # The first that asv does in a run, before it makes temporary files.
        run.current()

    def run(self, args: list[str], **kwargs: Any) -> Any:
        """Run the environment's Python; a benchmark gets what the run provides, and a wall-clock deadline.

        asv's own deadline starts anew with every byte of output, and after it asv waits for whoever
        has inherited the pipe.
        """
        command = args[1] if args[0] == BENCHMARK_RUN_SCRIPT else None
        if command not in SERVED:
            return super().run(args, **kwargs)
        current = run.current()
        with told_by_asv():
            kwargs["env"] = {**kwargs["env"], **current.environment(self.env_vars["postgres"])}
        if command == "run_server":
            return super().run(args, **kwargs)
        timeout = kwargs.pop("timeout", None)
        process: subprocess.Popen[bytes] = super().run(args, **kwargs, return_popen=True)
        output, ended = current.watch(process, timeout)
        if not ended:
            current.fail(f"{args[3]} did not end within {timeout:g} s, so it was killed")
            return output, "", util.TIMEOUT_RETCODE
        if process.returncode != 0:
            current.fail(reason(output))
        else:
            for told in REASON.findall(output):
                current.note(told)
        return output, "", process.returncode


def reason(output: str) -> str:
    """Why a benchmark process failed, from what it printed."""
    told = REASON.search(output)
    lines = output.strip().splitlines()
    return told["reason"] if told else lines[-1] if lines else "a benchmark failed and said nothing"
