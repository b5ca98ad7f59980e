"""A lock of a checkout names its owner, ends with it, and is then taken over."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness.system import locks
from harness.system.errors import PoolstartError

OWNER = """
import sys
from pathlib import Path
from harness.system import locks
path = Path(sys.argv[1])
with locks.locked(path, seconds=60 if "waits" in sys.argv else 0):
    print("owned", flush=True)
    sys.stdin.read()
"""


def start(path: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line(stream: object) -> str:
    return stream.readline()  # type: ignore[attr-defined, no-any-return]


def test_the_second_is_told_who_owns_it_until_the_owner_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "new" / "it.lock"
    with start(path) as owner:
        assert line(owner.stdout) == "owned\n"
        with (
            pytest.raises(PoolstartError, match=rf"process {owner.pid} \(`.*it.lock`\) is at work in this"),
            locks.locked(path),
        ):
            pass
        owner.kill()
    with locks.locked(path):
        pass
    with locks.locked(path):
        pass


def test_who_may_wait_says_for_whom_and_goes_on_when_the_owner_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "it.lock"
    with start(path) as owner:
        assert line(owner.stdout) == "owned\n"
        with start(path, "waits") as second:
            assert line(second.stderr).startswith(f"poolstart: waiting for process {owner.pid} (")
            owner.communicate()
            assert line(second.stdout) == "owned\n"
            second.communicate()
            assert second.returncode == 0


def test_a_child_may_do_what_its_parent_has_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "it.lock"
    with start(path) as owner:
        assert line(owner.stdout) == "owned\n"
        for name, value in locks.inherited(path).items():
            monkeypatch.setenv(name, value)
        with locks.locked(path):
            pass
        owner.communicate()


def test_a_lock_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(PoolstartError, match=r"it.lock cannot be written: .*; check that its directory"),
        locks.locked(tmp_path / "file" / "it.lock"),
    ):
        pass


def test_a_command_is_named_as_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/x/bin/poolstart", "record", "history"])
    assert locks.command() == "poolstart record history"
    monkeypatch.setattr(sys, "argv", ["/x/asv/__main__.py", "run", "2.1.9^!"])
    assert locks.command() == "asv run '2.1.9^!'"
