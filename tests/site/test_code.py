"""The programs that the site tells people to write, run as they stand."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import strategies
from harness.answer import code, recommendation
from harness.postgres.server import Server
from harness.system.environment import environment

DEADLINE = 60.0

AROUND = """\
import multiprocessing
import os

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

URL = {url!r}
tasks = ["one", "two", "three"]
task = tasks[0]


def work(connection, task):
    row = connection.execute(text("select cast(:task as text), pg_backend_pid()"), {{"task": task}}).one()
    # One write a line, whoever else writes.
    os.write(1, f"{{row[0]}} {{row[1]}} {{os.getpid()}} {{os.getppid()}}\\n".encode())
    return row[0]


"""
"""What a program has besides: its imports, its URL, its work."""

LEFT = """
    for process in multiprocessing.active_children():
        process.join()
    print("main", os.getpid())
"""


@pytest.mark.parametrize("render", [code.process, code.pool])
@pytest.mark.parametrize("name", recommendation.RECOMMENDED)
def test_a_program_as_the_page_has_it_gets_its_rows(
    server: Server, tmp_path: Path, name: str, render: Callable[[strategies.Strategy], code.ProgramCode]
) -> None:
    program = tmp_path / "program.py"
    text = str(render(strategies.get(name)))
    program.write_text(AROUND.format(url=server.sqlalchemy_url("page")) + text + LEFT)
    ran = subprocess.run(
        [sys.executable, program],
        env={**environment(), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), text
    *rows, (_, main) = (line.split() for line in ran.stdout.splitlines())
    wanted = {"one"} if render is code.process else {"one", "two", "three"}
    assert {row[0] for row in rows} == wanted
    for _, _, pid, parent in rows:
        assert pid != main
        # A fork server stands between a program and its workers.
        assert (parent == main) == (strategies.get(name).start_method != "forkserver")
