"""6. `Pool(2, initializer=initializer)`, with `engine.dispose(close=False)` in the initializer."""

import multiprocessing

from sqlalchemy import create_engine

from harness.demos.helpers import options, postgresql, sockets, tell

engine = create_engine(postgresql())


def initializer() -> None:
    engine.dispose(close=False)
    tell("worker", "Runs the initializer, and so drops the connections it inherited.")


def backend() -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("select pg_backend_pid()").scalar() or 0)


def work(theirs: set[str]) -> tuple[int, int]:
    """This worker's backend, and the number of the parent's sockets that it holds open."""
    return backend(), len(theirs & sockets())


if __name__ == "__main__":
    arguments = options()
    before = sockets()
    mine = backend()
    opened = sockets() - before
    tell("parent", "Has used its engine once.")
    if arguments.cured:
        engine.dispose()
        tell(
            "parent",
            "Closes its connections before it makes the pool, and will open another.",
        )
    with multiprocessing.get_context(arguments.start_method).Pool(2, initializer=initializer) as pool:
        theirs, inherited = pool.apply(work, (opened,))
        tell("worker", "Has the parent's session." if theirs == mine else "Has a session of its own.")
        tell("worker", f"Holds {inherited} of the parent's sockets to the server open.")
        tell("parent", "Has the session it had." if backend() == mine else "Has a new session.")
        # close() and join() instead of terminate(): both workers have run the initializer at the end.
        pool.close()
        pool.join()
