"""What a run provides to its benchmarks, and what it reports about them."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.processes import heartbeat
from harness.processes.heartbeat import Heartbeat
from harness.releases.environment import RUNNING, reason
from harness.releases.run import time_report, wait
from tests.support.remains import scene
from tests.support.suite import Suite

SERVERS = """
import json, os, signal
from harness.system.errors import PoolstartError
from harness.postgres import embedded, locate
from harness.postgres.server import Server
from harness.releases import run
from tests.support.remains import postmaster

def server():
    return Server.from_json(run.current().environment(embedded.identity())[locate.RUN])

first, again = server(), server()
assert first == again, "one server a run"
try:
    run.current().environment("container-18.4-tcp-trust")
    raise AssertionError("results would be filed under another server")
except PoolstartError as error:
    assert "this run began with container-18.4-tcp-trust" in str(error)
died, _ = postmaster(first)
os.kill(died, signal.SIGKILL)
while run.listens(first):
    pass
assert postmaster(server())[0] != died
"""

WATCHES = """
import os, subprocess, sys, time
from harness.releases import run

def alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True

def watch(program, timeout, begun=lambda: True):
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, process_group=0
    )
    while not begun():
        time.sleep(0.01)
    watched = run.current().watch(process, timeout, 'in tests')
    until = time.monotonic() + 120
    while alive(process.pid):  # Killed, and reaped by init.
        assert time.monotonic() < until, "its group has ended"
    return watched

assert watch("print('said'); raise SystemExit(3)", 300) == ("said\\n", True)
said = os.path.join(os.environ["TMPDIR"], "said")
stays = f"import time; print('said', flush=True); open({said!r}, 'w'); time.sleep(600)"
assert watch(stays, 0.5, lambda: os.path.exists(said)) == ("said\\n", False)
os.remove(said)
# The sleeping child keeps the pipe open; asv itself would wait for it.
leaves = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
assert watch(leaves, 300) == ("", True)
"""

TEMPORARY = """
import os, subprocess, sys, tempfile
from harness.releases import run

run.current()
tempfile.mkdtemp()
subprocess.run([sys.executable, "-c", "import tempfile; tempfile.mkdtemp()"], check=True)
print(*os.listdir(os.environ["HERE"]), sep="\\n")
"""


def test_a_dead_embedded_server_is_replaced_and_all_servers_end_with_the_run() -> None:
    with scene() as here:
        assert here.python("-c", SERVERS).wait(300) == 0
        here.wait_until_gone()


def test_a_benchmark_process_ends_at_its_deadline_with_its_children() -> None:
    with scene() as here:
        assert here.python("-c", WATCHES).wait(300) == 0
        here.wait_until_gone()


@pytest.mark.parametrize(
    ("waits_in", "number"),
    [("Waiting[.]", signal.SIGINT), ("WaitingInTheForkServer[.]", signal.SIGKILL)],
    ids=["interrupted", "killed"],
)
def test_a_run_in_an_environment_that_the_user_names_leaves_no_process(
    tmp_path: Path, waits_in: str, number: int
) -> None:
    suite = Suite(tmp_path)
    with scene() as here:
        here.environment["HOME"] = str(suite.home)
        command = suite.command("run", "-E", "existing", "--set-commit-hash", "2.1.9", "-b", waits_in)
        asv = here.start(*command, cwd=suite.directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        here.wait_for((suite.directory / "waiting").exists, "the benchmark runs")
        assert here.processes("benchmark.py run_server")
        asv.send_signal(number)
        asv.communicate(timeout=300)
        here.wait_until_gone()


def test_a_second_run_in_a_checkout_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    with scene() as here:
        here.environment["HOME"] = str(suite.home)
        command = suite.command("run", "-E", "existing", "--set-commit-hash", "2.1.9", "-b", "Waiting[.]")
        first = here.start(*command, cwd=suite.directory, stdout=subprocess.DEVNULL)
        here.wait_for((suite.directory / "waiting").exists, "the benchmark runs")
        second = suite.run_here("2.0.36", "patch_level")
        assert second.returncode == 1
        (line,) = second.stdout.splitlines()
        assert f"process {first.pid} (`asv run -E existing --set-commit-hash 2.1.9" in line
        assert line.endswith("is at work in this checkout; start this when it has ended")
        first.kill()
        first.wait()
        assert suite.run_here("2.0.36", "patch_level").returncode == 0


def test_temporary_files_of_asv_and_of_benchmarks_are_removed_with_the_run() -> None:
    with scene() as here:
        here.environment["HERE"] = str(here.directory)
        process = here.python("-c", TEMPORARY, stdout=-1)
        listed, _ = process.communicate(timeout=300)
        assert len(listed.split()) == 1, listed
        here.wait_until_gone()


def test_a_too_long_temporary_directory_is_one_line_before_anything_is_installed(
    tmp_path: Path,
) -> None:
    suite = Suite(tmp_path)
    (long := tmp_path / ("x" * 60)).mkdir()
    done = suite.asv("run", "-b", "patch_level", TMPDIR=str(long))
    (line,) = done.stdout.splitlines()
    assert "too long for the sockets of multiprocessing; set TMPDIR to one that is" in line
    assert done.returncode == 1
    assert not (suite.directory / ".asv" / "releases").exists()


def test_another_python_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    done = suite.asv("run", "-b", "patch_level", "-E", "release:3.10")
    (line,) = done.stdout.splitlines()
    assert f"asv measures the Python that it runs with, {RUNNING}, and not 3." in line
    assert done.returncode == 1
    assert not suite.results
    assert not (suite.directory / ".asv" / "releases").exists()


class ScriptedProcess:
    """A process that reports a step before each end of a time limit, as often as the script says."""

    def __init__(self, steps: int, ends: bool) -> None:
        self._steps, self._ends = steps, ends

    def wait(self, timeout: float) -> int:
        if self._steps:
            self._steps -= 1
            heartbeat.beat(f"{self._steps} steps left")
        elif self._ends:
            return 0
        raise subprocess.TimeoutExpired("benchmark", timeout)


@pytest.mark.parametrize("steps", [0, 1, 50])
@pytest.mark.parametrize("ends", [True, False])
def test_the_time_limit_of_a_benchmark_is_one_without_a_step(
    steps: int, ends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(heartbeat.FILE, str(tmp_path / "progress"))
    process: Any = ScriptedProcess(steps, ends)
    assert wait(process, 600, Heartbeat(tmp_path / "progress")) == ends
    assert Heartbeat(tmp_path / "progress").last() == ("0 steps left" if steps else "")


REPORTS = """
import json, sys
from pathlib import Path
from harness.releases import run
from harness.system.errors import PoolstartError

current, results = run.current(), Path(sys.argv[1])
def store(measured, filed):
    row = {"release": "2.1.9", "facts": {"python": measured}, "blocks": []}
    current._conditions.write_text(json.dumps(row))
    current.store_conditions(results, "environment", filed)

for measured, filed, said in (
    ("3.12.4 (main)", "3.11", "Python 3.12.4 was measured, and its results would be filed under 3.11"),
    ("3.14.0 free-threading build (main)", "3.14", "3.14.0t was measured, and its results would be filed"),
    ("3.14.0 (main)", "3.14t", "3.14.0 was measured, and its results would be filed under 3.14t"),
):
    try:
        store(measured, filed)
        raise AssertionError("filed under another Python")
    except PoolstartError as error:
        assert said in str(error)
    assert not list(results.glob("*/conditions.jsonl"))
store("3.14.0 free-threading build (main)", "3.14t")
store("3.12.4 (main)", "3.12")
assert list(results.glob("*/conditions.jsonl"))
"""


BESIDE = """
import json, sys
from pathlib import Path
from harness.releases import run

current, results = run.current(), Path(sys.argv[1])
for row in (
    {"failed": {"reason": "an earlier run"}, "facts": {}, "blocks": []},
    {"facts": {"python": "3.12.4"}, "blocks": [1]},
    {"verdicts_on_record": {"own_lock": ["spawn"]}},
    {"facts": {"python": "3.12.5"}, "blocks": [2]},
):
    current._conditions.write_text(json.dumps({"release": "2.1.9", **row}))
    current.store_conditions(results, "environment", "3.12")
(path,) = results.glob("*/conditions.jsonl")
assert json.loads(path.read_text()) == {
    "release": "2.1.9",
    "environment": "environment",
    "facts": {"python": "3.12.5"},
    "blocks": [2],
    "verdicts_on_record": {"own_lock": ["spawn"]},
}, path.read_text()
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(REPORTS, id="of the Python that the measured process reports"),
        pytest.param(BESIDE, id="of lifecycles and hazards side by side"),
    ],
)
def test_what_is_stored_about_a_run(tmp_path: Path, program: str) -> None:
    with scene() as here:
        here.environment["HOME"] = str(tmp_path)
        assert here.python("-c", program, str(tmp_path / "results")).wait(300) == 0
        here.wait_until_gone()


def test_the_time_report_gives_seconds_and_shares() -> None:
    assert time_report(128, {"in lifecycles": 24, "in trials": 41}) == (
        "128 s: 24 s (19 %) in lifecycles, 41 s (32 %) in trials, 63 s (49 %) asv and the rest"
    )


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("noise\npoolstart: no server; start one\nmore\n", "no server; start one"),
        (
            "Traceback ...\nharness.system.errors.PoolstartError: no server; start one\n",
            "no server; start one",
        ),
        (
            "Traceback ...\nModuleNotFoundError: No module named 'x'\n\n",
            "ModuleNotFoundError: No module named 'x'",
        ),
        ("", "a benchmark failed without output"),
    ],
)
def test_the_reason_for_a_failure_is_extracted_from_the_output(output: str, expected: str) -> None:
    assert reason(output) == expected


def test_a_signal_is_the_reason_if_the_process_gives_none() -> None:
    assert reason("as far as here\n", -9) == "a benchmark was ended by SIGKILL"
    assert reason("poolstart: no server; start one\n", -9) == "no server; start one"
