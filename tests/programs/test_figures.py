"""The time to the first row agrees with a plain script, with the kernel, and with the server."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import psycopg2
import pytest

from harness.postgres.server import Server
from harness.programs import head
from harness.programs.head import Program
from harness.programs.measure import first_rows
from harness.programs.run import RunningProgram
from harness.programs.setup import ProgramSetup, interpreter
from harness.system.environment import environment
from tests.support.statistics import compared, surely_beyond

SCRIPT = Path(__file__).with_name("stand_alone.py")

PAIRS = 20

BAND = 0.1
"""Script and harness start a new process for each figure, so one pair is uncertain by a third of the value.
The medians of the pairs agree within 4 %; a clock that started with the workers would read 50 % less."""


PAUSE = 0.01


def by_script(server: Server) -> float:
    command = [sys.executable, SCRIPT, server.sqlalchemy_url("stand-alone")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, text=True) as script:
        try:
            assert script.stdout.readline() == "ready\n"
            # The harness needs some milliseconds to see that a client is ready. A process that has waited
            # finds cold caches: measured without this pause, the script was 8 to 19 % faster.
            time.sleep(PAUSE)
            seconds, _ = script.communicate("\n", timeout=300)
        finally:
            script.kill()
    return float(seconds)


def test_the_first_row_of_an_executor_takes_as_long_as_in_a_plain_script(server: Server) -> None:
    setup = ProgramSetup(head.get("executor"), Path(sys.executable), server)
    pairs = []
    for _ in range(PAIRS):
        seconds, _ = first_rows(setup)
        pairs.append((by_script(server), seconds))
    difference, doubt = compared(pairs)
    print(f"script {median(script for script, _ in pairs):.6g}, harness {difference:+.1%}, doubt {doubt:.1%}")
    assert not surely_beyond(difference, BAND, doubt)


TICK = 1 / os.sysconf("SC_CLK_TCK")

LATE = 0.25
"""Largest part of a first row's time between the end of the rollback on the server and the report."""

ATTEMPTS = 5
"""On a busy machine processes wait for a processor, this one between its readings of two clocks too. A
clock that is wrong is so in all of several runs."""


def start_time(pid: int) -> float:
    """When the kernel created a process: seconds since boot, to a tick."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) * TICK


def idle_since(server: Server, backend: int) -> float:
    """When a session of the server became idle: seconds since boot."""
    connection = psycopg2.connect(server.sqlalchemy_url("watching").replace("+psycopg2", ""))
    try:
        cursor = connection.cursor()
        cursor.execute(
            "select extract(epoch from state_change)::float8 from pg_stat_activity"
            " where pid = %s and state = 'idle'",
            (backend,),
        )
        [changed] = cursor.fetchone() or pytest.fail("the session is not idle")
        return float(changed) - (time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.soak if head.get(name).packages else ()) for name in head.names()],
)
def test_the_time_to_the_first_row_agrees_with_kernel_and_server(server: Server, name: str) -> None:
    assert any(agrees(server, head.get(name)) for _ in range(ATTEMPTS))


def agrees(server: Server, program: Program) -> bool:
    """Whether a run agrees with the server's clock for the row and the kernel's for the program's start."""
    with RunningProgram(ProgramSetup(program, interpreter(program), server)) as run:
        report = run.hold()
        idle = idle_since(server, report["backend"])
        offset = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        if program.start:
            started = start_time(run.children["program"].process.pid)
            if abs(run.started * 1e-9 + offset - started) > 0.1 * (idle - started):
                return False
        run.open_gate()
        called = run.started or run.answer(report["token"])["asked"]
    by_worker, by_server = (report["first_row"] - called) * 1e-9, idle - called * 1e-9 - offset
    print(f"{program.name}: by its worker {by_worker:.6g} s, by the server {by_server:.6g} s")
    return 0 < by_server < by_worker and by_worker - by_server < LATE * by_worker
