"""The cost of bare start methods: workers without SQLAlchemy, connection and DataFrame.

The parent program of the controls: ``python -m harness.lifecycles.inside.control``. It reads a processor and
then a number from standard input, starts that many workers by each method, one after another, and writes the
seconds from `Process.start()` to each worker's first line. It is a module of its own so that it imports next
to nothing.
"""

import multiprocessing
import os
import time
from typing import Any

METHODS = ("fork", "forkserver", "spawn")


def work(channel: Any) -> None:
    """A worker that does nothing but report its start, in nanoseconds of the monotonic clock."""
    channel.send(time.monotonic_ns())


def start(method: str) -> float:
    """Seconds from `Process.start()` called to the worker's first line."""
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,))
    called = time.monotonic_ns()
    process.start()
    theirs.close()
    started: int = ours.recv()
    process.join()
    ours.close()
    return (started - called) * 1e-9


def main() -> None:
    import json
    import sys

    (cpu,) = json.loads(sys.stdin.readline())
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    for method in METHODS:
        start(method)  # starts the helper processes of multiprocessing
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        number = int(line)
        samples: dict[str, list[float]] = {method: [] for method in METHODS}
        for method in METHODS:
            # A fork takes a hundredth of the time that an interpreter needs.
            count = 5 * number if method == "fork" else number
            samples[method] = [start(method) for _ in range(count)]
        print(json.dumps(samples), flush=True)


if __name__ == "__main__":
    main()
