"""What the programs share: their two options, their server, and how they tell what they do."""

import argparse
import os
import re
from pathlib import Path

from harness.demos.catalogue import START_METHODS


def options() -> argparse.Namespace:
    """`start_method` and `cured`; a worker that runs the program again sees the same command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--start-method", choices=START_METHODS, default="fork")
    parser.add_argument("--cured", action="store_true")
    return parser.parse_args()


def tell(who: str, what: str) -> None:
    """One line of the story, in one piece whoever else is writing."""
    os.write(1, f"{who:>6}  {' '.join(what.split())}\n".encode())


def postgresql() -> str:
    """The URL of a PostgreSQL, for SQLAlchemy."""
    from harness.postgres import locate
    from harness.system.errors import PoolstartError

    server = locate.running()
    if server is None:
        raise PoolstartError(
            "this exhibit needs a PostgreSQL", f"run it by `poolstart exhibit`, or set {locate.URL}"
        )
    return server.sqlalchemy_url("poolstart-exhibit")


def private_bytes() -> int:
    """Memory this process shares with no other."""
    from harness.system import memory

    return memory.read()["uss"]


def stack_start() -> int:
    """Where this program's stack begins: random at each execve, kept by a fork (`startstack` of proc(5))."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return int(fields[25])


def sockets() -> set[str]:
    """The sockets this process holds open, by the kernel's numbers for them."""
    found = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{entry}")
        except OSError:
            continue  # the directory's own descriptor is gone by now
        if re.fullmatch(r"socket:\[\d+\]", target):
            found.add(target)
    return found
