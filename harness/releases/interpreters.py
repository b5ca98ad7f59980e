"""The interpreter of a release: its environment with what asv.conf.json pins, made when first needed."""

from pathlib import Path

from asv.config import Config
from asv.util import UserError

from harness.releases import venvs
from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


def pinned() -> dict[str, str]:
    """The packages that asv.conf.json pins beside SQLAlchemy, name to version; asv's own included."""
    path, remedy = ROOT / "asv.conf.json", "restore it with git"
    try:
        with files.understood(path, remedy):
            matrix = Config.load(str(path)).matrix["req"]
            return {name.removeprefix("pip+"): versions[0] for name, versions in matrix.items()}
    except UserError as error:
        reason = str(error).rstrip(".")
        raise PoolstartError(f"{files.shown(path)} cannot be read: {reason}", remedy) from None


def of_release(version: str) -> Path:
    """The interpreter that imports this release; installs it where it is not there yet."""
    return venvs.python_of(version, pinned(), ROOT / venvs.DIRECTORY)
