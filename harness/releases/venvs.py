"""Virtual environments, one for each release or program, kept on disk.

uv links their files to its cache if the file system allows it, so all releases together need little more
space than one. Bytecode is compiled at installation, so that no worker compiles anything.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from uv import find_uv_bin

from harness import drivers
from harness.drivers import Driver
from harness.processes.child import last_error
from harness.processes.supervision import Supervision
from harness.system import files, locks, pythons
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError, hint_in

DIRECTORY = ".asv/releases"
"""The directory of the releases' environments, relative to that of asv.conf.json."""

CONSTRAINTS = ROOT / "harness" / "releases" / "constraints.txt"

DEADLINE = 600.0
"""Seconds for an installation, which may download from a slow index or build a source distribution."""

REMEDIES = {
    "was not found in the package registry": "check the name of the package",
    "there (is|are) no versions? of": "name a version that the package index has",
    "has no wheels with a matching|Requires-Python|does not satisfy Python": "name a version for this Python",
    "No interpreter found|No download found": "install this Python, or name one that uv can download",
    "Failed to fetch|error sending request|dns error|tcp connect error": "check that the package index can be"
    " reached",
}
"""Remedies by words in uv's messages."""


NO_WHEEL = re.compile(r"\b([\w-]+)==(\S+) has no (?:usable )?wheels")
"""uv's message for a package that would have to be built."""


class NotForThisPython(PoolstartError):
    """A release that this Python cannot run in the same form as others."""


def python_of(
    version: str, packages: Mapping[str, str], directory: Path, driver: Driver = drivers.MEASURED
) -> Path:
    """The interpreter of an environment with this SQLAlchemy, the driver and `packages` (name to version).

    The environment is created unless it exists; one that is incomplete, or of another interpreter, is
    replaced. Nothing is built from source, because the result would depend on the machine. Raises
    `NotForThisPython` if the release or the driver has no wheel for this Python, and `PoolstartError` if the
    installation fails.
    """
    if (minor := pythons.minor()) != pythons.REFERENCE:
        directory = directory / f"python{minor}"
    wheels = ["sqlalchemy", *(name for name, _ in driver.packages)]
    if driver == drivers.MEASURED:
        return python_with([f"sqlalchemy=={version}", *pins(packages)], directory / version, wheels=wheels)
    requirements = [f"sqlalchemy=={version}", *pins({**packages, **dict(driver.packages)})]
    return python_with(requirements, directory / f"{version}-{driver.name}", wheels=wheels)


COMPILED = """\
import sys, sqlalchemy.engine
print(any(name.startswith("sqlalchemy.") and str(getattr(module, "__file__", "")).endswith(".so")
          for name, module in sys.modules.items()))
"""


def require_compiled(python: Path) -> None:
    """Raise `NotForThisPython` unless this SQLAlchemy can be imported, with its compiled parts."""
    done = subprocess.run(
        [python, "-I", "-c", COMPILED], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    if done.returncode != 0:
        raise NotForThisPython(
            f"it cannot be imported by Python {pythons.minor()}: {last_error(done.stderr)}"
        )
    if done.stdout.strip() != "True":
        raise NotForThisPython(
            f"its wheel for Python {pythons.minor()} has no compiled parts, and so is another program"
        )


def pins(packages: Mapping[str, str]) -> list[str]:
    """Requirements of exactly these versions, sorted by name."""
    return [f"{name}=={number}" for name, number in sorted(packages.items())]


def python_with(
    requirements: Sequence[str],
    home: Path,
    *,
    refresh: str = "",
    by: str = sys.executable,
    wheels: Sequence[str] = (),
) -> Path:
    """The interpreter of an environment in `home` with these `requirements`, in pip's notation.

    If another process is installing it, this one waits.

    `by` is the interpreter it is based on: a path, or a version that uv finds or downloads. uv rebuilds a
    local source tree only if its pyproject.toml has changed, or if it is the package to `refresh`. The
    packages `wheels` are not built from source. Raises `PoolstartError` if the installation fails.
    """
    python, done = home / "bin" / "python", home / "poolstart.txt"
    wanted = "\n".join([sys.version if by == sys.executable else by, *requirements])

    def complete() -> bool:
        return python.exists() and done.exists() and done.read_text() == wanted

    if complete():
        return python
    with locks.locked(home.with_name(f"{home.name}.lock"), seconds=3 * DEADLINE):
        if complete():
            return python
        shutil.rmtree(home, ignore_errors=True)
        _uv("venv", "--quiet", "--python", by, str(home))
        _uv(
            "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python),
            "--constraint", str(CONSTRAINTS), *requirements,
            *(["--refresh-package", refresh] if refresh else []),
            *(f"--only-binary={name}" for name in wheels),
            under=pythons.minor() if by == sys.executable else by,
        )  # fmt: skip
        files.write(done, wanted)
    return python


def _uv(*arguments: str, under: str = "") -> None:
    """Run uv. `under` is the Python for which packages are installed.

    Raises `PoolstartError` if it fails, and `NotForThisPython` if a package has no wheel.
    """
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    with Supervision() as supervision:
        uv = supervision.start(
            [find_uv_bin(), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            _, errors = uv.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            raise PoolstartError(
                f"`uv {arguments[0]}` took more than {DEADLINE:g} s", "run it again"
            ) from None
    if uv.returncode != 0:
        message = re.sub(r"\s+", " ", errors).strip() or f"exit status {uv.returncode}"
        if missing := NO_WHEEL.search(message):
            raise no_wheel(missing[1], missing[2], under)
        remedy = next((advice for words, advice in REMEDIES.items() if re.search(words, message)), "")
        raise PoolstartError(
            f"`uv {' '.join(arguments[:2])}` failed: {message[:500]}", remedy or hint_in(message)
        )


def no_wheel(package: str, number: str, python: str) -> NotForThisPython:
    """The error for a release, or for a driver's package, that would have to be built."""
    if package == "sqlalchemy":
        return NotForThisPython(f"it has no wheel for Python {python}")
    return NotForThisPython(
        f"{package} {number} has no wheel for Python {python}",
        "use a Python for which there is one, or another driver",
    )


def release_of(python: Path) -> str:
    """The version of SQLAlchemy that an interpreter imports. Raises `PoolstartError` if it imports none."""
    done = subprocess.run(
        [python, "-I", "-c", "import sqlalchemy; print(sqlalchemy.__version__)"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode != 0:
        raise PoolstartError(
            f"{python} cannot import SQLAlchemy: {last_error(done.stderr)}",
            "check that it is an interpreter with SQLAlchemy",
        )
    return done.stdout.strip()
