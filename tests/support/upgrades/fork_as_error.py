"""`-W error`, a thread in the parent, and fork: does the worker still run?"""

import multiprocessing
import threading
import warnings


def work():
    print("a worker")


if __name__ == "__main__":
    warnings.simplefilter("error")
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    process = multiprocessing.get_context("fork").Process(target=work)
    try:
        process.start()
    except DeprecationWarning as warning:
        print(type(warning).__name__)
    else:
        process.join()
