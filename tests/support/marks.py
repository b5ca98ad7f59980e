"""Which tests run where, for tests of several subjects."""

import os

import pytest

from harness.programs import head

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a network namespace")


def needs_install(name: str) -> bool:
    """Whether a program is a command of a package; the others need only a library, or nothing."""
    return bool(head.get(name).start)
