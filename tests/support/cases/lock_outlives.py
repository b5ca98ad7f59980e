"""The holder of an advisory lock has forked a worker, and is killed; another process wants the lock."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"])
LOCK = text("select pg_try_advisory_lock(2101)")


# broken: worker
def end_with_parent(parent):
    pass


# end


def work(parent):
    end_with_parent(parent)
    engine.dispose(close=False)
    print(os.getpid(), flush=True)
    signal.pause()


def lead():
    connection = engine.connect()
    connection.execute(LOCK)
    connection.commit()
    engine.dispose()  # before the fork, as documented: this connection is checked out
    multiprocessing.get_context("fork").Process(target=work, args=(os.getpid(),)).start()
    signal.pause()


def lock_is_free(tries):
    with engine.connect() as connection:
        for _ in range(tries):
            if connection.execute(LOCK).scalar():
                return True
            time.sleep(0.1)
    return False


if __name__ == "__main__":
    if "lead" in sys.argv:
        lead()
    leader = subprocess.Popen([sys.executable, __file__, "lead"], stdout=subprocess.PIPE, text=True)
    worker = int(leader.stdout.readline())
    leader.kill()
    leader.wait()
    with engine.connect() as connection:
        holders = text(
            "select count(*) from pg_locks where locktype = 'advisory' and granted and objid = 2101"
        )
        fixed = os.environ.get("FIXED")
        while fixed and connection.execute(holders).scalar():
            time.sleep(0.05)
    free = lock_is_free(1)
    with contextlib.suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)
    print("pg_try_advisory_lock:", free)
    sys.exit(0 if free else 1)
