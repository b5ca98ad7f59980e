"""`.ci/container` says why it provides no engine, runs its command and leaves nothing."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.system.environment import ROOT
from tests.support.container import DEADLINE

NEEDED = ("bash", "chmod", "dirname", "id", "mktemp", "rm")


@pytest.fixture
def tools() -> Iterator[Path]:
    """A folder for PATH, open to every user, that has no engine's client."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for program in NEEDED:
            (folder / program).symlink_to(shutil.which(program) or program)
        yield folder


def test_without_an_engine_the_reason_is_printed(tools: Path) -> None:
    with (ROOT / ".ci" / "container").open() as script:
        ran = subprocess.run(
            [tools / "bash", "-s", "--", "true"],
            stdin=script,
            cwd="/",
            env={"PATH": str(tools)},
            user="nobody" if os.getuid() == 0 else None,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
    assert ran.returncode == 69
    (line,) = ran.stderr.splitlines()
    assert line.startswith("container: no container engine: ")
