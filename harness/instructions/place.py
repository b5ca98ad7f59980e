"""A folder whose path has the same length for every release, checkout and user.

The paths of modules, of the interpreter and of the temporary directory are text that a worker compares,
hashes and copies. In this folder links lead to an installed release, its interpreter and this checkout.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.processes.supervision import Supervision
from harness.releases import interpreters, venvs
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

DIRECTORY = ".asv/instructions"
"""The directory of the releases' environments, relative to the checkout."""

DRIVER = "psycopg2-binary"

LENGTH = 96
"""Characters of the folder's path."""

ASK = (
    "import json, os, sys, sysconfig;"
    "print(json.dumps([os.path.realpath(sys.executable), sys.base_prefix, sysconfig.get_path('purelib')]))"
)


def interpreter_of(release: str) -> Path:
    """The interpreter of a release, in an environment with nothing but SQLAlchemy and the driver.

    It is installed at the first call. Raises `PoolstartError` if that fails.
    """
    packages = {DRIVER: interpreters.pinned()[DRIVER]}
    return venvs.python_of(release, packages, ROOT / DIRECTORY)


@dataclass(frozen=True)
class Place:
    """The folder of one counted worker."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def variables(self) -> Mapping[str, str]:
        """All environment variables of parent and worker."""
        return {
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "PATH": "/usr/bin:/bin",
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": str(self.folder / "code"),
            "PYTHONSAFEPATH": "1",
            "TMPDIR": str(self.folder / "tmp"),
        }


def make(supervision: Supervision, python: Path) -> Place:
    """Make the folder of an interpreter, which may be that of a virtual environment.

    Raises `PoolstartError` if the path of the temporary directory is too long.
    """
    base = supervision.directory()
    padding = LENGTH - len(str(base)) - 1
    if padding < 1:
        raise PoolstartError(
            f"the path of the temporary directory {base.parent} is too long to count instructions",
            f"set TMPDIR to one that is {1 - padding} characters shorter, /tmp for example",
        )
    executable, prefix, packages = map(Path, ask(python))
    place = Place(base / ("i" * padding))
    for folder in ("bin", "tmp", "code", "out", f"lib/{packages.parent.name}"):
        (place.folder / folder).mkdir(parents=True)
    place.python.symlink_to(executable)
    (place.folder / "base").symlink_to(prefix)
    (place.folder / "lib" / packages.parent.name / packages.name).symlink_to(packages)
    (place.folder / "code" / "harness").symlink_to(ROOT / "harness")
    (place.folder / "pyvenv.cfg").write_text(
        f"home = {place.folder}/base/bin\ninclude-system-site-packages = false\n"
    )
    return place


def ask(python: Path) -> list[str]:
    """The real path of an interpreter, the prefix of its installation, and the folder of its packages."""
    done = subprocess.run([python, "-I", "-c", ASK], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise PoolstartError(f"{python} does not run", "check that it is an interpreter")
    paths: list[str] = json.loads(done.stdout)
    return paths
