"""After how many new objects does the garbage collector run, and what does it copy in a forked worker?

Prints the threshold of the youngest generation, and MiB that a full collection in the worker copies: without
and with `gc.freeze()` in the parent.
"""

import gc
import os
import re

import psycopg2.extras  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg2  # noqa: F401
from sqlalchemy import orm  # noqa: F401


def private():
    """MiB that only this process has."""
    with open("/proc/self/smaps_rollup") as file:
        found = re.findall(r"^Private_\w+: +(\d+) kB", file.read(), re.MULTILINE)
    return sum(map(int, found)) / 1024


def copied():
    """MiB that a full collection in a forked worker copies."""
    ours, theirs = os.pipe()
    if not (worker := os.fork()):
        before = private()
        gc.collect()
        os.write(theirs, f"{private() - before:.2f}".encode())
        os._exit(0)
    os.waitpid(worker, 0)
    os.close(theirs)
    return float(os.read(ours, 100))


gc.collect()
shared = copied()
gc.collect()
gc.freeze()
print(gc.get_threshold()[0], shared, copied())
