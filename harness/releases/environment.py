"""asv's environment, in which the releases are measured one after another."""

import logging
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import asv.commands.run
import asv.runner
from asv.config import Config
from asv.console import log
from asv.environment import Environment, ExistingEnvironment
from asv.repo import Repo
from asv.results import Results
from asv.runner import BENCHMARK_RUN_SCRIPT, ForkServer
from asv.util import TIMEOUT_RETCODE, ProcessError, check_output
from packaging.version import Version

from harness import drivers
from harness.lifecycles import metrics, profile
from harness.postgres import locate
from harness.releases import run, stored
from harness.releases import venvs as installed
from harness.releases.errors import as_asv_error
from harness.system import pythons
from harness.system.errors import PoolstartError

RUNNER = "pip+asv_runner"

SERVED = ("setup_cache", "run")
"""The commands of asv's benchmark script that can need a server."""

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"

FREE_THREADED = "free-threaded"

REASON = re.compile(
    r"^(?:SystemExit: )?(?:poolstart|harness\.system\.errors\.PoolstartError): (?P<reason>.+)$", re.MULTILINE
)
"""The message of a benchmark process that failed or has no result, as a line by itself or in a traceback."""


class ReleaseEnvironment(Environment):
    """The interpreters of all releases, as one environment whose project changes.

    Server, driver and profile are part of its name, as `env_nobuild` variables, so that results that differ
    in one of them are different series.
    """

    tool_name = "release"

    def __init__(
        self,
        conf: Config,
        python: str,
        requirements: dict[str, str],
        tagged_env_vars: dict[tuple[str, str], str],
    ) -> None:
        with as_asv_error():
            if python != RUNNING:
                raise PoolstartError(
                    f"asv measures the Python that it runs with, {RUNNING}, and not {python}",
                    f"run asv with that Python, or compare it with `poolstart compare {RUNNING} {python}"
                    " --vary python`",
                )
            tags = {"postgres": locate.identity(), **build_tags(sys.version), **profile.tags()}
            self._driver = drivers.current()
        tagged_env_vars = {**tagged_env_vars, **{("nobuild", name): value for name, value in tags.items()}}
        # asv's constructor reads these, and removes its own packages from them.
        self._python, self._requirements = python, requirements
        runner = requirements[RUNNER]
        super().__init__(conf, python, requirements, tagged_env_vars)
        self._packages = {**self._requirements, "asv_runner": runner}
        self._directory = Path(conf.env_dir).absolute().parent / "releases"
        self._results = Path(conf.results_dir)
        self._executable = sys.executable

    @classmethod
    def matches(cls, python: str) -> bool:
        """Whether this is the interpreter that runs asv; no other is measured."""
        return python == RUNNING

    def check_presence(self) -> bool:
        return True

    def create(self) -> None:
        """Do nothing, since the environment of a release is created when the release is known."""

    def checkout_project(self, repo: Repo, commit_hash: str) -> None:
        """Record the release; there is no source to check out."""
        self._set_commit_hash(commit_hash)

    def install_project(self, conf: Config, repo: Repo, commit_hash: str) -> None:
        """Switch to the interpreter of a release, which is installed if necessary.

        Raises asv's `ProcessError` if this Python cannot run the release; asv continues with the next one.
        """
        release = str(Version(commit_hash))
        with as_asv_error():
            try:
                python = installed.python_of(release, self._packages, self._directory, self._driver)
                installed.require_compiled(python)
            except installed.NotForThisPython as error:
                run.current().leave_out(release, str(error))
                raise ProcessError(["install", release], 1, "", str(error)) from None
        self._executable = str(python)
        self._set_commit_hash(commit_hash)

    @property
    def installed_commit_hash(self) -> str | None:
        installed: str | None = self._global_env_vars.get("ASV_COMMIT")
        return installed

    def find_executable(self, executable: str) -> str:
        return str(Path(self._executable).with_name(executable))

    def run(self, args: list[str], **kwargs: Any) -> Any:
        """Run the release's Python; a benchmark gets the run's server."""
        log.debug(f"Running '{' '.join(args)}' in {self.name}")
        command = command_of(args)
        if command in SERVED:
            with as_asv_error():
                kwargs["env"] = {**kwargs["env"], **run.current().environment(self.env_vars["postgres"])}
        start = partial(self.run_executable, "python")
        done = supervised(start, args, kwargs)
        if command not in SERVED:
            return done
        module = args[3].partition(".")[0]
        failed = done[2] != 0 and command == "setup_cache" and module in metrics.benchmark_modules()
        with as_asv_error():
            if failed and (saved := run.current().saved()):
                done = supervised(start, args, {**kwargs, "env": {**kwargs["env"], **saved}})
            if done[2] == 0:
                run.current().store_conditions(self._results, self.name, pythons.minor())
            if failed:
                release = str(Version(self.installed_commit_hash or "0"))
                run.current().store_failure(self._results, self.name, release)
        return done


def build_tags(version: str) -> dict[str, str]:
    """The tag of a free-threaded build, which asv does not distinguish from others of the same version."""
    return {"build": FREE_THREADED} if pythons.minor(version).endswith("t") else {}


def run_existing(environment: ExistingEnvironment, args: list[str], **kwargs: Any) -> Any:
    """Run the interpreter that the user names (`-E existing`)."""
    log.debug(f"Running '{' '.join(args)}' in {environment.name}")
    python = environment._executable
    return supervised(lambda args, **options: check_output([python, *args], **options), args, kwargs)


# asv would not find a class of our own, because it takes the first one with the name.
ExistingEnvironment.run = run_existing


def command_of(args: Sequence[str]) -> str | None:
    """The command of asv's benchmark script; None for another program."""
    return args[1] if args[0] == BENCHMARK_RUN_SCRIPT else None


def supervised(start: Callable[..., Any], args: list[str], options: dict[str, Any]) -> Any:
    """Start Python with `args` for asv, as `asv.util.check_output` does.

    The run owns the processes of benchmarks, and asv's fork server. A benchmark is ended if it reports no
    step for its `timeout`. asv's own deadline ignores steps, and when it expires, asv still waits for all
    processes that have inherited the pipe.
    """
    command, current = command_of(args), run.current()
    if command == "run_server":
        with current.starting():
            process: subprocess.Popen[bytes] = start(args, **options)
        current.register(process)
        return process
    if command not in SERVED:
        return start(args, **options)
    timeout = options.get("timeout")
    others = {name: value for name, value in options.items() if name != "timeout"}
    with current.starting():
        process = start(args, **others, return_popen=True)
    output, ended = current.watch(process, timeout, purpose(args[3]))
    if not ended:
        current.fail(f"{args[3]} made no progress for {timeout:g} s, so it was killed")
        return output, "", TIMEOUT_RETCODE
    if process.returncode != 0:
        current.fail(reason(output, process.returncode))
    else:
        current.report(REASON.findall(output))
    return output, "", process.returncode


class ReportingForkServer(ForkServer):
    """asv's fork server, which runs benchmarks that only read in milliseconds, with reports of failures."""

    def run(self, *args: Any, **kwargs: Any) -> tuple[str, int]:
        output, code = super().run(*args, **kwargs)
        current = run.current()
        if code != 0:
            current.fail(reason(output))
        else:
            current.report(REASON.findall(output))
        return output, code

    def close(self) -> None:
        super().close()
        run.current().forget(self.server_proc)


def skip_quietly(*args: Any, **kwargs: Any) -> Any:
    """asv's `skip_benchmarks`, without a line for each benchmark: the run says why a release is left out."""
    with log.set_level(logging.ERROR):
        return asv.runner.skip_benchmarks(*args, **kwargs)


# asv has no settings for the class of its fork server, or for what it stores or prints.
asv.runner.ForkServer = ReportingForkServer
asv.commands.run.skip_benchmarks = skip_quietly
Results.save = stored.save_measured


def purpose(benchmark: str) -> str:
    """The activity of a benchmark process, for the report of the run's time."""
    return "in trials of hazards" if benchmark.startswith("hazards.") else "in lifecycles and their parents"


def reason(output: str, status: int = 1) -> str:
    """Why a benchmark process failed: its message, the signal that ended it, or its last line of output."""
    if message := REASON.search(output):
        return message["reason"]
    if status < 0:
        return f"a benchmark was ended by {signal.Signals(-status).name}"
    lines = output.strip().splitlines()
    return lines[-1] if lines else "a benchmark failed without output"
