"""The interpreter of each release, in an environment with the packages that asv.conf.json pins."""

from pathlib import Path

from asv.config import Config
from asv.util import UserError

from harness import drivers
from harness.drivers import Driver
from harness.releases import venvs
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


def pinned() -> dict[str, str]:
    """The versions of all packages but SQLAlchemy, by name, as asv.conf.json pins them.

    Raises `PoolstartError` if that file cannot be read.
    """
    path, remedy = ROOT / "asv.conf.json", "restore it with git"
    try:
        with files.reading(path, remedy):
            matrix = Config.load(str(path)).matrix["req"]
            return {name.removeprefix("pip+"): versions[0] for name, versions in matrix.items()}
    except UserError as error:
        reason = str(error).rstrip(".")
        raise PoolstartError(f"{files.shown(path)} cannot be read: {reason}", remedy) from None


def of_release(version: str, driver: Driver = drivers.MEASURED) -> Path:
    """The interpreter that imports this release, and has the driver; it is installed at the first call.

    Raises `PoolstartError` if the installation fails.
    """
    return venvs.python_of(version, pinned(), ROOT / venvs.DIRECTORY, driver)
