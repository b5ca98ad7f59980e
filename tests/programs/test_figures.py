"""The first row of a program is what a plain script sees, and what kernel and server say of it."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import psycopg2
import pytest

from harness.postgres.server import Server
from harness.programs import measure as programs
from harness.programs.environments import python_of
from harness.system.environment import environment
from tests.lifecycles.test_figures import compared, surely_beyond
from tests.programs.test_programs import QUICK

SCRIPT = Path(__file__).with_name("stand_alone.py")

PAIRS = 30

BAND = 0.1
"""The two are programs of their own, started anew for each figure: a pair is uncertain by a third of it. By
neighbours they are within 4 %; a clock that starts with the workers is 50 % below."""


def test_an_executors_first_row_comes_when_a_plain_script_has_it(server: Server) -> None:
    setup = programs.Setup(programs.get("executor"), Path(sys.executable), server)
    pairs = []
    for _ in range(PAIRS):
        ours = programs.first_rows(setup)[0]
        done = subprocess.run(
            [sys.executable, SCRIPT, server.sqlalchemy_url("stand-alone")],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        pairs.append((float(done.stdout), ours))
    difference, doubt = compared(pairs)
    print(f"script {median(theirs for theirs, _ in pairs):.6g}, harness {difference:+.1%}, doubt {doubt:.1%}")
    assert not surely_beyond(difference, BAND, doubt)


TICK = 1 / os.sysconf("SC_CLK_TCK")

LATE = 0.25
"""The server's last word on a session is the end of a rollback, and a worker's report follows it: two
processes that have to be let run. Of a first row this part may pass between them on a busy machine."""


def begun(pid: int) -> float:
    """When the kernel made a process: seconds since the machine was started, to a tick."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) * TICK


def at_rest(server: Server, backend: int) -> float:
    """Since when the server has been waiting for a session's next order, in the same seconds."""
    connection = psycopg2.connect(server.sqlalchemy_url("watching").replace("+psycopg2", ""))
    try:
        cursor = connection.cursor()
        cursor.execute(
            "select extract(epoch from state_change)::float8 from pg_stat_activity"
            " where pid = %s and state = 'idle'",
            (backend,),
        )
        [changed] = cursor.fetchone() or pytest.fail("its session is not at rest")
        return float(changed) - (time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.soak) for name in programs.known()],
)
def test_a_first_row_is_there_when_the_server_has_given_it(server: Server, name: str) -> None:
    """No clock of ours: the server's for the row, the kernel's for the program's start."""
    program = programs.get(name)
    with programs.Run(programs.Setup(program, python_of(program), server)) as run:
        report = run.hold()
        rested = at_rest(server, report["backend"])
        offset = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
        if program.start:
            started = begun(run.processes["program"].pid)
            assert abs(run.started * 1e-9 + offset - started) < 0.1 * (rested - started)
        run.open_gate()
        called = run.started or run.answer(report["token"])["asked"]
    ours, theirs = (report["first_row"] - called) * 1e-9, rested - called * 1e-9 - offset
    print(f"{name}: by its worker {ours:.6g}, by the server {theirs:.6g}")
    assert 0 < theirs < ours
    assert ours - theirs < LATE * ours
