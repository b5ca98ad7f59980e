"""Functions that the programs share: their two options, their server, and the output of their story."""

import argparse
import os
import re

from harness.demos.catalogue import START_METHODS


def options() -> argparse.Namespace:
    """`start_method` and `cured`; a worker that runs the program again sees the same command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--start-method", choices=START_METHODS, default="fork")
    parser.add_argument("--cured", action="store_true")
    return parser.parse_args()


def tell(who: str, what: str) -> None:
    """Print one line of the story, in a single write so that lines of several processes do not mix."""
    os.write(1, f"{who:>6}  {' '.join(what.split())}\n".encode())


def postgresql() -> str:
    """The SQLAlchemy URL of a running PostgreSQL. Raises `PoolstartError` if none is running."""
    from harness.postgres import locate
    from harness.system.errors import PoolstartError

    server = locate.running()
    if server is None:
        raise PoolstartError(
            "this demo needs a PostgreSQL", f"run it by `poolstart demo`, or set {locate.URL}"
        )
    return server.sqlalchemy_url("poolstart-demo")


def private_bytes() -> int:
    """Bytes of memory that this process shares with no other."""
    from harness.system import memory

    return memory.read()["uss"]


def stack_start() -> int:
    """The address at which this program's stack begins: random at each execve, kept by a fork.

    (`startstack` of proc(5).)
    """
    from harness.processes import proc

    this = proc.stat("self")
    assert this
    return this.stack_start


def sockets() -> set[str]:
    """The sockets that this process holds open, as /proc names them."""
    open_sockets = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{entry}")
        except OSError:
            continue  # the directory's own descriptor is gone by now
        if re.fullmatch(r"socket:\[\d+\]", target):
            open_sockets.add(target)
    return open_sockets
