"""pytest-xdist: its workers are new programs, but what a test forks uses their connections."""

import os
import subprocess
import sys

from common import BROKEN, URL, query, query_forever, ready
from sqlalchemy import create_engine


def test_worker() -> None:
    engine = create_engine(URL)
    query(engine)
    worker = os.fork()
    if worker == 0:
        if not BROKEN:
            engine.dispose(close=False)
        query(engine)
        with open(os.environ["VICTIM_READY"], "w") as file:
            file.write("x")
        query_forever(engine)
    os.waitpid(worker, 0)


if __name__ == "__main__":
    begun, begins = os.pipe()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-n",
        "1",
        "-s",
        "--noconftest",
        "-c",
    ]
    tests = subprocess.Popen(
        [*command, os.devnull, __file__],
        env={**os.environ, "VICTIM_READY": f"/proc/{os.getpid()}/fd/{begins}"},
        stdout=subprocess.DEVNULL,
    )
    os.read(begun, 1)
    ready()
    sys.exit(tests.wait())
