"""Which tests run where, for tests of several subjects."""

import os

import pytest

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a network namespace")
