"""A copy of the checkout that tests can damage, and the commands that run in it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from asv.machine import Machine
from asv.util import write_json

from harness.system.environment import ROOT
from tests.support.remains import Scene
from tests.support.results import RESULTS

COPIED = (
    "harness",
    "benchmarks",
    "docs",
    "records",
    "README.md",
    "asv.conf.json",
    "docker-compose.yml",
    "docker",
)
"""What is copied from the checkout, with the newest results."""

WATCHED = (*COPIED[:-1], "results", "work")
"""Files and folders that no mistake may change."""

DEADLINE = 300
"""Seconds a command may take on a busy machine; most take less than one."""


@dataclass(frozen=True)
class Surroundings:
    """What differs in the surroundings of one command."""

    mounts: tuple[tuple[str, str], ...] = ()
    """Kind (`read-only`, `small` of a MiB, `empty`) and directory: below the checkout, or
    `TMPDIR`."""
    file_size: int = 0
    """The most bytes a file may have; 0 for any."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@dataclass
class Checkout:
    """The copy, and a process that runs `poolstart` and `asv` in forks of itself."""

    directory: Path
    here: Scene

    def __post_init__(self) -> None:
        ignored = shutil.ignore_patterns("__pycache__")
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.directory / name, ignore=ignored)
            else:
                shutil.copy(source, self.directory)
        newest = sorted(RESULTS.glob("*/2.1.09-*embedded*.json"))
        for path in [
            RESULTS / "benchmarks.json",
            newest[-1],
            newest[-1].with_name("machine.json"),
        ]:
            target = self.directory / "results" / path.relative_to(RESULTS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        self.home = self.directory / "home"
        self.work = self.directory / "work"
        for made in (self.home, self.work):
            made.mkdir()
        # asv must know the machine, or its first command asks for it; and it must be this one.
        name = self.machine.parent.name
        machine = {**Machine.get_defaults(), "machine": name}
        write_json(str(self.machine), machine, Machine.api_version)
        write_json(str(self.home / ".asv-machine.json"), {name: machine}, Machine.api_version)
        self.undamaged = self.times()
        self.whole = {path: Path(path).read_bytes() for path in self.undamaged}
        self._environment = {
            **self.here.environment,
            "HOME": str(self.home),
            "PYTHONPATH": f"{self.directory}:{self.work}",
            "COLUMNS": "80",
            "TERM": "dumb",
            # A container engine of this machine must not be used.
            "POOLSTART_SERVER": "embedded",
        }
        self._program = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("program.py")],
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    @property
    def result(self) -> Path:
        (path,) = (self.directory / "results").glob("*/2.1.09-*embedded*.json")
        return path

    @property
    def machine(self) -> Path:
        return self.result.with_name("machine.json")

    def file(self, name: str) -> Path:
        """A file below the checkout; `RESULT` and `MACHINE` are those in results/."""
        return {"RESULT": self.result, "MACHINE": self.machine}.get(name, self.directory / name)

    def content(self) -> dict[str, bytes]:
        """The content of every file that no mistake may change; what has its old time is not read again."""
        return {
            path: self.whole[path] if times == self.undamaged.get(path) else Path(path).read_bytes()
            for path, times in self.times().items()
        }

    def times(self) -> dict[str, tuple[int, int]]:
        """Time and size of these files."""
        found = {}
        for name in WATCHED:
            top = str(self.directory / name)
            paths = [top] if os.path.isfile(top) else []
            for folder, folders, names in os.walk(top):
                folders[:] = [each for each in folders if each != "__pycache__"]
                paths += [os.path.join(folder, each) for each in names]
            for path in paths:
                about = os.stat(path)
                found[path] = about.st_mtime_ns, about.st_size
        return found

    def restore(self) -> None:
        """Restore what was damaged."""
        found = self.times()
        for path in found.keys() - self.whole.keys():
            os.unlink(path)
        for path, content in self.whole.items():
            if found.get(path) != self.undamaged[path]:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_bytes(content)
        self.undamaged = self.times()

    def run(self, command: list[str], environment: dict[str, str], surroundings: Surroundings) -> Ended:
        out, err = (self.directory.parent / name for name in ("out", "err"))
        mounts, places = surroundings.mounts, {"TMPDIR": str(self.here.directory)}
        case = {
            "command": command,
            "environment": {**self._environment, **environment},
            "mounts": [(kind, os.path.join(self.directory, places.get(name, name))) for kind, name in mounts],
            "file_size": surroundings.file_size,
            "deadline": DEADLINE,
            "out": str(out),
            "err": str(err),
        }
        self._program.stdin.write(json.dumps(case) + "\n")
        answer = self._program.stdout.readline()
        assert answer, "the program that runs the cases has died"
        return Ended(int(answer), out.read_text(), err.read_text())

    def left(self) -> dict[int, str]:
        """The processes that are still running, without the program itself."""
        return {pid: line for pid, line in self.here.processes().items() if pid != self._program.pid}

    def close(self) -> None:
        self._program.stdin.close()
        self._program.wait(300)
