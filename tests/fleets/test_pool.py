"""What the page of fleets says about initializers of a pool, under fork."""

import subprocess
import sys

PROGRAM = """
import multiprocessing, os, sys, threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

context = multiprocessing.get_context("fork")
started, forked_by = context.SimpleQueue(), []

def announce():
    started.put(os.getpid())

def fail():
    announce()
    raise RuntimeError

def broken():
    raise RuntimeError

def pid(number):
    return os.getpid()

def raising():
    pool = context.Pool(2, fail)
    task = pool.apply_async(pid, (0,))
    assert len({started.get() for _ in range(10)}) == 10
    assert not task.ready()
    pool.terminate()
    try:
        ProcessPoolExecutor(2, context, broken).submit(pid, 0).result()
    except BrokenProcessPool:
        print("done")

def replacing():
    os.register_at_fork(before=lambda: forked_by.append(threading.current_thread()))
    with context.Pool(2, announce, maxtasksperchild=1) as pool:
        ran = pool.map(pid, range(6), chunksize=1)
    assert len(set(ran)) == 6
    initialized = set()
    while not set(ran) <= initialized:
        initialized.add(started.get())
    assert forked_by.count(threading.main_thread()) == 2
    assert len(forked_by) >= 6
    print("done")

globals()[sys.argv[1]]()
"""


def ran(name: str) -> str:
    """The output of one of its functions."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, name], capture_output=True, text=True, timeout=300)
    return done.stdout


def test_a_pool_replaces_workers_whose_initializer_raises_without_end_and_an_executor_is_broken() -> None:
    assert ran("raising") == "done\n"


def test_with_maxtasksperchild_1_each_task_has_a_new_worker_that_the_pools_thread_forked() -> None:
    assert ran("replacing") == "done\n"
