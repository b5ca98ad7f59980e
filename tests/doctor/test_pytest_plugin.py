"""`pytest -p harness.doctor.pytest_plugin`: only the test whose worker misuses a connection fails."""

import subprocess
import sys
from pathlib import Path

from harness.postgres.server import Server
from harness.system.environment import environment
from tests.support.victims import PLUGIN_TESTS


def test_the_test_whose_worker_uses_its_parents_connection_fails(server: Server, tmp_path: Path) -> None:
    (tmp_path / "test_workers.py").write_text(PLUGIN_TESTS.format(url=server.sqlalchemy_url("plugin")))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "harness.doctor.pytest_plugin", "-rA", "-q", tmp_path],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "FAILED test_workers.py::test_worker[False]" in done.stdout
    assert "shared_socket  certain: process" in done.stdout
    assert "test_workers.py:8 test_worker" in done.stdout
