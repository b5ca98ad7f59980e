"""A spawned worker with an engine of its own is idle for longer than the server allows."""

import os
import sys
import time

from sqlalchemy import create_engine, make_url, text

SERVER = make_url(os.environ["URL"])
URL = SERVER.update_query_dict({"options": "-c idle_session_timeout=1000"})

# broken: engine
engine = create_engine(URL)
# end


def query(statement):
    with engine.connect() as connection:
        return connection.execute(text(statement)).scalar()


if __name__ == "__main__":
    backend = query("select pg_backend_pid()")
    watcher = create_engine(SERVER)
    sessions = text("select count(*) from pg_stat_activity where pid = :pid")
    while True:  # the pause
        with watcher.connect() as connection:
            if not connection.execute(sessions, {"pid": backend}).scalar():
                break
        time.sleep(0.05)
    try:
        query("select 1")
    except Exception as error:
        query("select 1")  # the next one works
        sys.exit(f"{type(error).__name__}: {error}")
