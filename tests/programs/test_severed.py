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
from sqlalchemy import text

from harness.treatments import sever_in_every_child

{severs}
leader = engine.connect()
leader.execute(text("select pg_advisory_xact_lock(2424)"))
warm()
"""

HELD = text("select count(*) from pg_locks where locktype = 'advisory' and objid = 2424")


def in_use(program: Program, *, hook: bool) -> Program:
    """A program whose parent has a transaction open while it forks, with its hook or with `fork_sever`."""
    application = program.application(hook=hook)
    loaded = IN_USE.format(severs="" if hook else program.severs)
    return replace(program, text=application.replace("\nwarm()\n", loaded, 1))


def lock_is_held_after_replaced_workers(setup: ProgramSetup) -> bool:
    """Run several tasks, each in a worker of its own with a session of its own."""
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
        return bool(connection.scalar(HELD))


@pytest.mark.parametrize("name", [name for name in head.names() if head.get(name).severs])
def test_workers_have_sessions_of_their_own_and_the_parent_keeps_its_transaction(
    name: str, server: Server
) -> None:
    program = head.get(name)
    assert lock_is_held_after_replaced_workers(
        ProgramSetup(in_use(program, hook=False), interpreter(program), server)
    )


def test_with_the_hook_a_transaction_in_use_is_lost_when_a_worker_ends(server: Server) -> None:
    program = head.get("gunicorn")
    assert not lock_is_held_after_replaced_workers(
        ProgramSetup(in_use(program, hook=True), interpreter(program), server)
    )
