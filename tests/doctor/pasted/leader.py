"""A worker outlives its parent, and with it the parent's session."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

from sqlalchemy import create_engine, make_url, text

URL = make_url(os.environ["VICTIM_URL"])
NAME = f"pasted_leader_{os.environ.setdefault('LEADER', str(os.getpid()))}"
engine = create_engine(URL.update_query_dict({"application_name": NAME}))


def work():
    # paste
    # end
    engine.dispose(close=False)
    print("worker", os.getpid(), flush=True)
    time.sleep(600)


def lead():
    engine.connect().close()
    multiprocessing.get_context("fork").Process(target=work).start()
    time.sleep(600)


if __name__ == "__main__":
    if "lead" in sys.argv:
        lead()
    leader = subprocess.Popen([sys.executable, __file__, "lead"], stdout=subprocess.PIPE, text=True)
    worker = int(leader.stdout.readline().split()[1])
    leader.kill()
    leader.wait()
    with create_engine(URL).connect() as connection:
        sessions = text(f"select count(*) from pg_stat_activity where application_name = '{NAME}'")
        end = time.monotonic() + 3
        while (left := connection.execute(sessions).scalar()) and time.monotonic() < end:
            connection.rollback()
            time.sleep(0.1)
    if left:
        os.kill(worker, signal.SIGKILL)
    sys.exit(left > 0)
