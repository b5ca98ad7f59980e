"""The sides of a comparison, installed: a release, a version, a folder, a wheel or a strategy."""

import re
import shutil
import sys
from hashlib import sha256
from pathlib import Path

from harness import drivers
from harness.comparisons.result import Side
from harness.lifecycles import profile
from harness.releases import interpreters, venvs
from harness.releases.catalogue import catalogue
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

DIRECTORY = ROOT / ".asv" / "compare"

STRATEGY, SQLALCHEMY, PYTHON, DRIVER = "strategy", "sqlalchemy", "python", "driver"
"""What the sides may differ in, besides the version of any other package."""


def check(text: str, vary: str) -> None:
    """Raise `PoolstartError` if `text` names no side, before anything is installed."""
    if vary == STRATEGY:
        profile.known([text], "--vary strategy")
    elif vary == DRIVER:
        drivers.get(text)
    elif vary != PYTHON and (vary != SQLALCHEMY or catalogue().position(text) is None):
        requirement(text, vary)


def side(text: str, vary: str, strategies: tuple[str, ...]) -> Side:
    """Install what the user named.

    `strategies` are measured unless they are what varies. Raises `PoolstartError` if it cannot be installed.
    """
    newest = catalogue().newest.version
    driver = drivers.get(text) if vary == DRIVER else drivers.current()
    if vary == DRIVER:
        return Side(text, newest, interpreters.of_release(newest, driver), strategies, driver.name)
    if vary == STRATEGY:
        named = profile.known([text], "--vary strategy")
        return Side(text, newest, interpreters.of_release(newest, driver), named, driver.name)
    packages = {**interpreters.pinned(), **dict(driver.packages)}
    if vary == SQLALCHEMY and (position := catalogue().position(text)) is not None:
        release = catalogue().releases[position].version
        return Side(text, release, interpreters.of_release(release, driver), strategies, driver.name)
    requirements = {name: f"{name}=={version}" for name, version in packages.items()}
    requirements[SQLALCHEMY] = f"{SQLALCHEMY}=={newest}"
    by = text if vary == PYTHON else sys.executable
    if vary != PYTHON:
        requirements[vary] = requirement(text, vary)
    wanted = sorted(requirements.values())
    home = DIRECTORY / sha256("\n".join([by, *wanted]).encode()).hexdigest()[:12]
    local = vary != PYTHON and Path(text).exists()
    if local:
        # Its code may have changed since.
        shutil.rmtree(home, ignore_errors=True)
    wheels = [name for name, _ in driver.packages]
    python = venvs.python_with(wanted, home, refresh=vary if local else "", by=by, wheels=wheels)
    return Side(text, venvs.release_of(python), python, strategies, driver.name)


def requirement(text: str, package: str) -> str:
    """The requirement for pip: a version, a folder or a wheel of the package, or the text itself.

    Raises `PoolstartError` for anything else.
    """
    path = Path(text)
    if path.is_dir() and not any((path / name).exists() for name in ("pyproject.toml", "setup.py")):
        raise PoolstartError(f"{text} holds no pyproject.toml or setup.py", "name the folder that does")
    if path.exists():
        return f"{package} @ {path.resolve().as_uri()}"
    if re.fullmatch(r"v?\d[\w.+!-]*", text):
        return f"{package}=={text}"
    if "@" in text or re.match(rf"{re.escape(package)}\s*[=<>~!]", text, re.IGNORECASE):
        return text
    raise PoolstartError(
        f"{text} is no release, and there is no such folder or wheel",
        f"give one, or a requirement of pip: '{package} @ git+https://...'",
    )
