"""A pytest plugin: a test fails if one of its processes misuses a connection.

`pytest -p harness.doctor.pytest_plugin`. Test processes are observed as `poolstart doctor -- COMMAND` does
with a program, and so are the processes that tests fork or start.
"""

import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.doctor import report
from harness.doctor.evidence import inside
from harness.doctor.judge import reports

INSIDE = Path(__file__).with_name("inside")


def pytest_configure(config: pytest.Config) -> None:
    """Observe this process from now on."""
    directory = tempfile.mkdtemp(prefix="poolstart-doctor-")
    config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))
    config.stash[DIRECTORY] = Path(directory)
    os.environ["POOLSTART_DOCTOR"] = directory
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(INSIDE), os.environ.get("PYTHONPATH", ""))))
    sys.path.insert(0, str(INSIDE))
    try:
        watch: Any = importlib.import_module("poolstart_watch")
        watch.DIRECTORY = directory
        watch.install()
    finally:
        sys.path.remove(str(INSIDE))


DIRECTORY = pytest.StashKey[Path]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail the test if something certain was found while it ran."""
    directory = item.config.stash[DIRECTORY]
    earlier = len(inside.read(directory))
    result = yield
    findings = reports.judge(inside.read(directory)[earlier:])
    sure = [finding for finding in findings if finding.sure]
    if sure:
        pytest.fail("\n".join(report.finding_lines(sure)), pytrace=False)
    return result
