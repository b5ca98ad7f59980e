"""Workers of a fork server that has preloaded a module with a connection."""

import multiprocessing
import sys

from common import query_forever


def work() -> None:
    import preloaded

    query_forever(preloaded.engine, announce=True)


if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["preloaded"])
    worker = context.Process(target=work)
    worker.start()
    worker.join()
    sys.exit(worker.exitcode)
