"""A directory in which asv runs with the real asv.conf.json, and with few benchmarks or the real ones."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]

BENCHMARKS = """
import os
import pathlib
import sys
import time


class Samples:
    params = ["a", "b"]
    param_names = ["which"]
    unit = "seconds"

    def track_patch_level(self, which):
        import sqlalchemy

        patch = int(sqlalchemy.__version__.split(".")[2])
        return {"samples": [patch + i / 100 for i in range(15)], "number": 1}


class Failing:
    def setup_cache(self):
        return "so little"

    def track_nothing(self, _):
        print("poolstart: n/a: not under a full moon", file=sys.stderr)
        return float("nan")

    def track_reason(self, _):
        sys.exit("poolstart: the moon is full; wait")


class Sometimes:
    params = ["a", "b"]
    param_names = ["which"]

    def track_value(self, which):
        if "FAILS" in os.environ:
            sys.exit("poolstart: not now; wait")
        return 7


class Waiting:
    timeout = 600

    def setup_cache(self):
        (pathlib.Path(__file__).parents[1] / "waiting").touch()
        time.sleep(600)

    def track_nothing(self, _):
        return 0


class WaitingInTheForkServer:
    timeout = 600

    def track_nothing(self):
        (pathlib.Path(__file__).parents[1] / "waiting").touch()
        time.sleep(600)
"""


class Suite:
    """A directory with an empty home in which asv can run: with a few benchmarks, or with the real ones."""

    def __init__(self, directory: Path, *, real: bool = False) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        shutil.copy(CHECKOUT / "asv.conf.json", directory)
        # The compose file is needed where a container engine answers: asv asks it for this suite's service.
        for name in ("harness", "docs", "docker-compose.yml", "docker"):
            (directory / name).symlink_to(CHECKOUT / name)
        package = directory / "benchmarks"
        if real:
            package.symlink_to(CHECKOUT / "benchmarks")
            return
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "few.py").write_text(BENCHMARKS)

    @property
    def results(self) -> list[Path]:
        return sorted((self.directory / "results").glob("*/*-*.json"))

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "asv", *arguments]

    def asv(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run asv without a terminal; standard output and errors are both in `stdout`."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env={**os.environ, "HOME": str(self.home), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )

    def run_here(
        self, release: str, benchmarks: str, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Benchmark in the environment of the tests, filed under a release: quick, needs no network."""
        command = ("run", "-E", "existing", "--set-commit-hash", release, "-b", benchmarks)
        return self.asv(*command, **environment)
