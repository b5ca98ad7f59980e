"""What observing adds to a program, in calls of Python functions, which repeat exactly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.doctor.run import INSIDE
from harness.postgres.server import Server

PROGRAM = """
import gc, os, sys
from sqlalchemy import create_engine

engine = create_engine(sys.argv[1])

def checkout():
    engine.raw_connection().close()

def query():
    with engine.connect() as connection:
        connection.exec_driver_sql("select 1")

def calls(work):
    work(), work()
    found = []
    gc.disable()
    sys.setprofile(lambda frame, event, _: event == "call" and found.append(frame.f_code.co_name))
    work()
    sys.setprofile(None)
    return len(found)

def count():
    print(calls(checkout), calls(query), flush=True)

def worker():
    if pid := os.fork():
        os.waitpid(pid, 0)
    else:
        count()
        os._exit(0)

worker()
count()
worker()
"""
"""A worker that inherits no connection, its parent, and one that inherits the parent's."""

LISTENERS = 4
"""The listeners of checkout and checkin, each called by SQLAlchemy's dispatcher: nothing for a query."""


def counted(url: str, **variables: str) -> list[tuple[int, int]]:
    """The calls of each process of the program: for a checkout with its checkin, and with a query between."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [(int(checkout), int(query)) for checkout, query in map(str.split, done.stdout.splitlines())]


@pytest.fixture(scope="module")
def more(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, int]]:
    """By how many calls an observed program makes more."""
    url = server.sqlalchemy_url("overhead")
    reports: Path = tmp_path_factory.mktemp("reports")
    observed = counted(url, PYTHONPATH=str(INSIDE), POOLSTART_DOCTOR=str(reports))
    assert list(reports.glob("*.jsonl"))
    return [(a - b, c - d) for (a, c), (b, d) in zip(observed, counted(url), strict=True)]


def test_a_query_in_a_process_with_its_own_connections_pays_for_two_listeners(
    more: list[tuple[int, int]],
) -> None:
    alone, parent, _ = more
    assert alone == parent == (LISTENERS, LISTENERS)


def test_a_worker_that_inherits_connections_has_each_checkout_examined(more: list[tuple[int, int]]) -> None:
    *_, inheriting = more
    assert min(inheriting) > LISTENERS
