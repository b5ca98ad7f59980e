# /// script
# dependencies = ["python-daemon==3.1.2"]
#
# [tool.poolstart]
# title = "python-daemon with forked workers"
# link = "https://peps.python.org/pep-3143/"
# starts = "fork"
# count = "for _ in range({workers})"
# instead = "load the application in the worker"
# start = ["python", "application.py"]
# client = "harness.programs.inside.common.files"
# clock = "the call of `python`, with the token waiting"
# besides = """
# `DaemonContext` closes all descriptors, those of connections too (`Bad file descriptor`), and the next \
# file that is opened gets such a number (`Socket operation on non-socket`): dispose of every engine inside \
# of the context before anything else, or connect only there. Do not keep the connections by \
# `files_preserve`: the process that was left behind has them as well."""
# ///
"""python-daemon: the application connects before it becomes a daemon, and forks workers as a daemon."""

import multiprocessing
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess

import daemon

from harness.programs.inside.common.database import engine, row, warm
from harness.programs.inside.common.files import serve

warm()


def work() -> None:
    own_connections()  # hook
    while True:
        serve(row)


# hook
def own_connections() -> None:
    """As a daemon, before anything is opened, and in each worker."""
    engine.dispose(close=False)


# end of hook
def main() -> None:
    context = multiprocessing.get_context("fork")
    workers: list[ForkProcess] = []
    while True:
        while len(workers) < 2:
            workers.append(context.Process(target=work))
            workers[-1].start()
        wait([worker.sentinel for worker in workers])
        workers = [worker for worker in workers if worker.is_alive()]


if __name__ == "__main__":
    # Whatever starts it waits for its end here.
    with daemon.DaemonContext(detach_process=False):
        own_connections()  # hook
        main()
