"""A script connects at its top level: how many connections do its two workers use?

    module_engine.py METHOD CURE

METHOD is a start method, or `default`; CURE is `none`, `parent` (disposes of the pool before it starts
workers), `worker` (disposes of the pool there, and leaves its connections open) or `preload` (names the
modules to preload).
"""

import multiprocessing
import sys

from sqlalchemy import create_engine, text

URL = "postgresql+psycopg2://user:password@host/database"

engine = create_engine(URL)
with engine.connect() as connection:
    connection.execute(text("select 'settings'"))


def work(pipe, dispose):
    if dispose:
        engine.dispose(close=False)
    with engine.connect() as connection:
        pipe.send(connection.execute(text("select pg_backend_pid()")).scalar())
        # The server may use the pid of a session again that has ended.
        pipe.recv()


if __name__ == "__main__":
    method, cure = sys.argv[1:]
    context = multiprocessing.get_context(None if method == "default" else method)
    if cure == "preload":
        context.set_forkserver_preload(["sqlalchemy.dialects.postgresql.psycopg2", "psycopg2.extras"])
    if cure == "parent":
        engine.dispose()
    workers, sessions = [], set()
    # One after the other: two that use one connection at once may fail, or never end.
    for _ in range(2):
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, cure == "worker"))
        process.start()
        sessions.add(ours.recv())
        workers.append((ours, process))
    print(len(sessions))
    for pipe, process in workers:
        pipe.send(None)
        process.join()
