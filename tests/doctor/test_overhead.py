"""What observing adds to a program, in calls of Python functions, which repeat exactly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.doctor.run import INSIDE
from harness.postgres.server import Server

PROGRAM = """
import gc, os, sys, threading
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

def count(name):
    print(name, calls(checkout), calls(query), flush=True)

def worker(work):
    if pid := os.fork():
        os.waitpid(pid, 0)
    else:
        work()
        os._exit(0)

def inherits():
    count("inherits")
    engine.dispose(close=False)
    count("has disposed of what it inherited")

worker(lambda: count("inherits nothing"))
count("has forked")
worker(inherits)
thread = threading.Thread(target=print)
thread.start()
thread.join()
count("has had a thread")
"""


def counted(url: str, **variables: str) -> dict[str, tuple[int, int]]:
    """The calls of each process of the program: for a checkout with its checkin, and with a query between."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = [line.rsplit(maxsplit=2) for line in done.stdout.splitlines() if line]
    return {name: (int(checkout), int(query)) for name, checkout, query in lines}


@pytest.fixture(scope="module")
def more(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """By how many calls an observed program makes more."""
    url = server.sqlalchemy_url("overhead")
    reports: Path = tmp_path_factory.mktemp("reports")
    observed = counted(url, PYTHONPATH=str(INSIDE), POOLSTART_DOCTOR=str(reports))
    assert list(reports.glob("*.jsonl"))
    plain = counted(url)
    return {name: (a - plain[name][0], b - plain[name][1]) for name, (a, b) in observed.items()}


@pytest.mark.parametrize("process", ["inherits nothing", "has forked", "has disposed of what it inherited"])
def test_a_process_with_its_own_connections_and_one_thread_pays_nothing_for_a_query(
    process: str, more: dict[str, tuple[int, int]]
) -> None:
    assert more[process] == (0, 0)


def test_a_process_that_has_had_several_threads_notes_the_thread_of_each_checkout(
    more: dict[str, tuple[int, int]],
) -> None:
    assert more["has had a thread"] == (1, 1)


def test_a_worker_that_inherits_connections_has_each_checkout_examined(
    more: dict[str, tuple[int, int]],
) -> None:
    assert min(more["inherits"]) > 1
