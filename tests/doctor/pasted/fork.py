"""The child of os.fork() uses its parent's connection."""

import os
import sys

from sqlalchemy import create_engine, text


class Database:
    engine = create_engine(os.environ["VICTIM_URL"])


def backend():
    with Database.engine.connect() as connection:
        return connection.execute(text("select pg_backend_pid()")).scalar()


parent = backend()
child = os.fork()
if child == 0:
    # paste
    # end
    os._exit(parent == backend())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
