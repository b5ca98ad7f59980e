"""`fork_sever` in place of a program's hook, while a connection of the parent is in use at every fork."""

from dataclasses import replace

import pytest
from sqlalchemy import create_engine, text

from harness.postgres.server import Server
from harness.programs import head
from harness.programs.checks import has_own_session
from harness.programs.head import Program
from harness.programs.measure import TASKS
from harness.programs.run import RunningProgram
from harness.programs.setup import ProgramSetup, interpreter

pytestmark = pytest.mark.soak

IN_USE = """
import gc
import os

from sqlalchemy import text

from harness.treatments import sever_in_every_child

{severs}
leader = engine.connect()
leader.execute(text("select 1"))


def drop():
    global leader
    leader = None
    gc.collect()


os.register_at_fork(after_in_child=drop)
warm()
"""
"""Each worker drops its copy of the connection, as where a variable goes out of scope."""

OPEN = text(
    "select count(*) from pg_stat_activity where state = 'idle in transaction' and application_name = :name"
)


def in_use(program: Program, *, hook: bool) -> Program:
    """A program whose parent has a transaction open while it forks, with its hook or with `fork_sever`."""
    application = program.application(hook=hook)
    loaded = IN_USE.format(severs="" if hook else program.severs)
    return replace(program, text=application.replace("\nwarm()\n", loaded, 1))


def transactions_outlive_workers(setup: ProgramSetup) -> bool:
    """Run several tasks, each in a worker of its own with a session of its own.

    Returns whether the transactions of all processes that loaded the application are open then.
    """
    monitor = create_engine(setup.server.sqlalchemy_url("monitor"))
    with RunningProgram(setup, tasks=1) as run, monitor.connect() as connection:
        run.open_gate()
        reports = []
        for _ in range(TASKS):
            reports.append(run.hold())
            assert "error" not in reports[-1]
            assert "row" in run.answer(reports[-1]["token"])
        assert len({report["pid"] for report in reports}) == TASKS
        assert all(has_own_session(report, run.loaded()) for report in reports)
        still_open = connection.scalar(OPEN, {"name": run.application_name})
        return bool(still_open == len(run.loaded()))


@pytest.mark.parametrize("name", [name for name in head.names() if head.get(name).severs])
def test_workers_have_sessions_of_their_own_and_the_parent_keeps_its_transaction(
    name: str, server: Server
) -> None:
    program = head.get(name)
    assert transactions_outlive_workers(
        ProgramSetup(in_use(program, hook=False), interpreter(program), server)
    )


def test_with_the_hook_a_transaction_in_use_is_lost_when_a_worker_drops_its_copy(server: Server) -> None:
    program = head.get("gunicorn")
    assert not transactions_outlive_workers(
        ProgramSetup(in_use(program, hook=True), interpreter(program), server)
    )
