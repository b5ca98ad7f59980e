"""A driver that cannot be installed for this Python: one line, which says what to do."""

import io
import tarfile
from pathlib import Path

import pytest

from harness.releases import venvs
from harness.system.errors import PoolstartError


@pytest.fixture
def no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which packages are looked for, and nowhere else."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    return folder


def source_distribution(folder: Path, name: str) -> None:
    """A source distribution of version 1.0 that nobody could build."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    with tarfile.open(folder / f"{name}-1.0.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo(f"{name}-1.0/PKG-INFO")
        entry.size = len(metadata)
        archive.addfile(entry, io.BytesIO(metadata))


def test_a_driver_without_a_wheel_for_this_python_is_not_built(no_index: Path, tmp_path: Path) -> None:
    source_distribution(no_index, "nowheel")
    with pytest.raises(PoolstartError, match=r"^nowheel 1.0 has no wheel for Python ") as error:
        venvs.python_with(["nowheel==1.0"], tmp_path / "environment", wheels=["nowheel"])
    assert error.value.remedy == "use a Python for which there is one, or another driver"
    assert "\n" not in str(error.value)


def test_a_driver_that_is_not_to_be_had_is_an_error_of_one_line(no_index: Path, tmp_path: Path) -> None:
    with pytest.raises(PoolstartError, match="nosuchdriver") as error:
        venvs.python_with(["nosuchdriver==1.0"], tmp_path / "environment", wheels=["nosuchdriver"])
    assert "\n" not in str(error.value)
    assert error.value.remedy
