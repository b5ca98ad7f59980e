"""A release that this Python cannot run as it runs the others is left out of a series, with the reason."""

from pathlib import Path

import pytest
import sqlalchemy

from harness.history.sensitivity.injected import NOTHING
from harness.releases import venvs
from harness.releases.venvs import NotForThisPython
from harness.system import pythons
from tests.support.environments import environment_with
from tests.support.suite import Suite


def test_a_release_without_a_wheel_is_not_built(tmp_path: Path) -> None:
    with pytest.raises(NotForThisPython, match=rf"^it has no wheel for Python {pythons.minor()}$"):
        venvs.python_of("1.3.0", {}, tmp_path)


def test_a_release_has_to_be_compiled_and_importable(tmp_path: Path) -> None:
    python = environment_with(tmp_path, NOTHING)
    venvs.require_compiled(python)
    (package,) = tmp_path.glob("lib/python*/site-packages/sqlalchemy")
    for library in package.rglob("*.so"):
        library.unlink()
    with pytest.raises(NotForThisPython, match="has no compiled parts"):
        venvs.require_compiled(python)
    (package / "__init__.py").write_text("raise TypeError('not with this Python')")
    with pytest.raises(NotForThisPython, match=r"cannot be imported .*TypeError: not with this Python"):
        venvs.require_compiled(python)


def test_each_python_has_its_own_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes: list[Path] = []

    def python_with(requirements: list[str], home: Path, **options: object) -> Path:
        homes.append(home)
        return home

    monkeypatch.setattr(venvs, "python_with", python_with)
    for minor in (pythons.REFERENCE, "3.14", "3.14t"):
        monkeypatch.setattr(pythons, "minor", lambda minor=minor: minor)
        venvs.python_of(sqlalchemy.__version__, {}, tmp_path)
    assert len(set(homes)) == 3


@pytest.mark.skipif(pythons.minor() == pythons.REFERENCE, reason="all releases have wheels for the reference")
def test_asv_measures_the_others_and_lists_what_it_left_out(tmp_path: Path) -> None:
    (tmp_path / "hashes").write_text("2.1.09\n1.4.40\n")
    suite = Suite(tmp_path)

    done = suite.asv("run", "HASHFILE:hashes", "-b", "few.Samples")

    lines = [line for line in done.stdout.splitlines() if "left out" in line]
    reason = f"it has no wheel for Python {pythons.minor()}"
    assert lines == [f"poolstart: left out: SQLAlchemy 1.4.40: {reason}"], done.stdout
    assert [path.name.partition("-")[0] for path in suite.results] == ["2.1.09"]
    assert "skipped" not in done.stdout
