"""The site of the committed results, built once for all tests of a session that only read it."""

import fcntl
import os
from pathlib import Path

import pytest

from harness.site import build
from tests.support.results import RESULTS

UNDER = "some/where"
"""The site is served from below the host's root, as a code host does."""


def built(factory: pytest.TempPathFactory) -> Path:
    """The directory that holds the pages; the first of pytest-xdist's workers builds it for all."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    directory, done = shared / "host" / UNDER, shared / "site-built"
    with (shared / "site-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            build.build(RESULTS, directory)
            done.touch()
    return directory
