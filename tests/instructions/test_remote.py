"""Instructions counted by workers of Dask on two hosts: who is refused, who dies, and what is stored."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.instructions import table
from harness.instructions.remote import TOLERATED, difference
from harness.instructions.table import InstructionsRow
from harness.postgres.embedded import free_port
from harness.processes.hosts import ADDRESS, Host, private_network
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.programs import head
from harness.programs.setup import interpreter
from harness.system.environment import ROOT
from tests.support import counting
from tests.support.marks import as_root

REFERENCE = "2.0.40"

RELEASES = [*(f"2.0.{patch}" for patch in range(45, 52)), counting.WAITS]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of stand-ins."""
    monkeypatch.setenv(counting.FOLDER, str(tmp_path))
    return tmp_path


def test_a_worker_of_the_same_build_may_differ_within_the_tolerance(stand_in: Path) -> None:
    build, row = counting.stand_in(REFERENCE, "")
    within = {phase: round(count * (1 + 0.9 * TOLERATED)) for phase, count in row.phases.items()}
    assert difference((build, row), (build, replace(row, phases=within))) == ""


def test_a_worker_is_refused_by_its_build_or_by_what_it_counts(stand_in: Path) -> None:
    build, row = counting.stand_in(REFERENCE, "")
    for name in ("python", "libc", "machine", "valgrind", "psycopg2", "server"):
        other = replace(build, **{name: "another"})
        assert difference((build, row), (other, row)) == f"{name} another instead of {getattr(build, name)}"
    for phase in row.phases:
        more = InstructionsRow(REFERENCE, {**row.phases, phase: round(row.phases[phase] * 1.002)}, {}, True)
        assert (
            difference((build, row), (build, more))
            == f"it counts +0.20% in {phase} of SQLAlchemy {REFERENCE}"
        )


def test_without_dask_the_command_says_how_to_run_it() -> None:
    done = CliRunner().invoke(
        app, ["record", "instructions", "--only", "2.0.50", "--fresh", "--scheduler", "tcp://x"]
    )
    assert "needs Dask" in str(done.exception)
    assert "--extra dask" in str(done.exception)


@dataclass
class Cluster:
    """A scheduler on this machine, for workers on hosts."""

    supervision: Supervision
    variables: dict[str, str]
    address: str = ""

    def start(self, *words: str, host: Host | None = None, **variables: str) -> "subprocess.Popen[bytes]":
        command: list[str | Path] = [sys.executable, "-m", *words]
        return self.supervision.start(
            host.command(command) if host else command,
            env={**self.variables, **variables},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def worker(self, host: Host, **variables: str) -> None:
        options = ("--nthreads", "1", "--no-dashboard", "--no-nanny")
        self.start("distributed.cli.dask_worker", self.address, *options, host=host, **variables)


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[Cluster, list[Host]]]:
    packages = interpreter(head.get("dask")).parents[1].glob("lib/python*/site-packages")
    path = os.pathsep.join(map(str, (ROOT, *packages)))
    variables = {**os.environ, "PYTHONPATH": path, counting.FOLDER: str(folder)}
    with private_network(), Supervision() as supervision:
        port = str(free_port(ADDRESS))
        started = Cluster(supervision, variables, f"tcp://{ADDRESS}:{port}")
        started.start("distributed.cli.dask_scheduler", "--host", ADDRESS, "--port", port, "--no-dashboard")
        yield started, [Host(supervision), Host(supervision)]


def counted_in(folder: Path) -> list[tuple[str, int]]:
    """The releases that were counted so far, and the processes that did, in this order."""
    file = folder / "counted"
    lines = file.read_text().splitlines() if file.exists() else []
    return [(release, int(pid)) for release, pid in map(str.split, lines)]


def recorder(
    path: Path, request: dict[str, object], variables: dict[str, str], workers: int = 0
) -> "subprocess.Popen[bytes]":
    """A process that records into a file that has the reference already; its output is beside that file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "PATH", path)
        build, row = counting.stand_in(REFERENCE, "poolstart record instructions")
        table.InstructionsTable(build, (row,)).save()
    with path.with_suffix(".out").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.counting", path, str(workers), json.dumps(request)],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def reported(path: Path) -> list[str]:
    """The releases that a recorder has stored so far."""
    return re.findall(r"^counted (\S+),", path.with_suffix(".out").read_text(), re.MULTILINE)


@pytest.mark.slow
@as_root
def test_two_hosts_one_killed_midway_store_what_one_machine_stores(stand_in: Path) -> None:
    here, there = stand_in / "here.json", stand_in / "there.json"
    with cluster(stand_in) as (started, hosts):
        for host in hosts:
            started.worker(host)
        started.worker(hosts[1], **{counting.LIBC: "glibc 2.41"})
        started.worker(hosts[1], **{counting.MORE: "0.01"})
        request = {"only": RELEASES, "scheduler": started.address}
        running = recorder(there, request, started.variables, workers=4)
        try:
            # The worker that counts the release that waits is killed.
            waiting = wait_until(
                lambda: [pid for release, pid in counted_in(stand_in) if release == counting.WAITS], 300
            )
            assert wait_until(lambda: reported(there), 300), there.with_suffix(".out").read_text()
            os.kill(waiting[0], signal.SIGKILL)
            (stand_in / "go").touch()
            running.wait(300)
        finally:
            running.kill()
    output = there.with_suffix(".out").read_text()
    assert running.returncode == 0, output
    counted = counted_in(stand_in)
    by_killed = {release for release, pid in counted if pid == waiting[0]}
    times = Counter(release for release, _ in counted)
    repeated = {release for release in RELEASES if times[release] > 1}
    # What it had sent back is not repeated, unless it died in that moment.
    assert counting.WAITS in repeated <= by_killed
    assert times.keys() == {REFERENCE, *RELEASES}
    more = f"it counts +1.00% in start of SQLAlchemy {REFERENCE}"
    for reason in ("libc glibc 2.41 instead of glibc 2.36", more):
        assert f": {reason}\n" in output
    alone = recorder(here, {"only": RELEASES}, dict(os.environ))
    assert alone.wait(300) == 0, here.with_suffix(".out").read_text()
    both = [json.loads(path.read_text()) for path in (here, there)]
    # A small function was really counted, on a host and here; a count may vary.
    counts = [
        row["phases"].pop("start") - counting.USUAL["start"]
        for each in both
        for row in each["rows"]
        if row["release"] == counting.REAL
    ]
    assert counts[0] == pytest.approx(counts[1], rel=TOLERATED)
    assert both[0] == both[1]
