"""The process table."""

import os
import subprocess
import sys

import pytest

from harness.processes import proc
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until


def test_this_process_is_as_the_system_calls_say() -> None:
    this = proc.stat("self")
    assert (this.pid, this.ppid, this.group) == (os.getpid(), os.getppid(), os.getpgid(0))
    assert this.session == os.getsid(0)
    assert this.running
    assert this.cpu_ticks > 0


def test_processor_time_of_another_process_is_what_that_process_reports() -> None:
    program = "import time; sum(range(3_000_000)); print(time.process_time(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        reported = float(child.stdout.readline())
        seen = proc.cpu_seconds(child.pid)
        child.communicate("\n")
    assert reported <= seen < 1.5 * reported
    assert proc.cpu_seconds(child.pid) == 0


@pytest.mark.parametrize("name", ["a (b) c", "x) Z 1"])
def test_a_name_with_spaces_and_parentheses_is_read_whole(name: str) -> None:
    rename = f"import ctypes, time; ctypes.CDLL(None).prctl(15, {name.encode()!r}); time.sleep(600)"
    with Supervision() as supervision:
        pid = supervision.start([sys.executable, "-c", rename]).pid

        def renamed() -> bool:
            process = proc.stat(pid)
            return bool(process and process.name == name)

        assert wait_until(renamed, 300)
        process = proc.stat(pid)
        assert (process.ppid, process.group, process.session) == (os.getpid(), pid, pid)


def test_a_session_has_its_processes_until_they_end() -> None:
    with Supervision() as supervision:
        leader = supervision.start(["sh", "-c", "sleep 60 & exec sleep 60"])
        assert wait_until(lambda: len(proc.session_members(leader.pid)) == 2, 30)
        assert sorted(proc.group_members(leader.pid)) == sorted(proc.session_members(leader.pid))
        supervision.stop(leader)
        assert wait_until(lambda: not proc.session_members(leader.pid), 30)


def test_a_zombie_is_shown_and_does_not_run() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    assert wait_until(lambda: not proc.running(ended.pid), 30)
    assert [process.state for process in proc.session_processes(ended.pid)] == ["Z"]
    assert proc.session_members(ended.pid) == []
    ended.wait()
    assert proc.stat(ended.pid) is None
    assert proc.command_line(ended.pid) == ""
