"""A program that has used its engine becomes a daemon: two forks, a session of its own, descriptors closed.

The process that starts it adopts the daemon, waits for it, and is outlived by it in no case.
"""

import ctypes
import os
import signal
import sys
import time

import daemon
from sqlalchemy import create_engine, text

DEADLINE_S = 40
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

engine = create_engine(os.environ["URL"])


# broken: workers
def every_engine():
    return []


def own_connections(engines):
    pass


# end


def query():
    with engine.connect() as connection:
        return connection.execute(text("select 1")).scalar()


def belong_to(owner):
    signal.alarm(DEADLINE_S)
    while os.getppid() != owner:  # The process between has not ended yet.
        time.sleep(0.01)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != owner:
        os._exit(1)


def serve(owner, session, log):
    query()
    engines = every_engine()
    with daemon.DaemonContext(detach_process=True, stdout=log, stderr=log):
        belong_to(owner)
        own_connections(engines)
        try:
            print("detached:", os.getsid(0) != session, "row:", query(), flush=True)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", flush=True)
            os._exit(1)
        os._exit(0)


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    owner, session = os.getpid(), os.getsid(0)
    with open("log", "w+") as log:
        if not os.fork():
            serve(owner, session, log)
        statuses = [os.wait()[1] for _ in range(3)]  # the one that forked, the one between, the daemon
        log.seek(0)
        print(log.read())
    sys.exit(max(map(os.waitstatus_to_exitcode, statuses)))
