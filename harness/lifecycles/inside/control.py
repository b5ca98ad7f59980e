"""What a start method costs by itself: workers without SQLAlchemy, without a connection, without a DataFrame.

The parent of the control cells: ``python -m harness.lifecycles.inside.control``. It is told a processor on
standard input and then a number, starts so many workers by each method, one after another, and answers with
the seconds from `Process.start()` to each worker's first line. A module of its own, so that it imports next
to nothing.
"""

import multiprocessing
import os
import time
from typing import Any

METHODS = ("fork", "forkserver", "spawn")


def work(channel: Any) -> None:
    """A worker that does nothing but say when it began."""
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
        start(method)  # boots multiprocessing's helpers
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        number = int(line)
        samples: dict[str, list[float]] = {method: [] for method in METHODS}
        for method in METHODS:
            # A fork costs a hundredth of an interpreter.
            count = 5 * number if method == "fork" else number
            samples[method] = [start(method) for _ in range(count)]
        print(json.dumps(samples), flush=True)


if __name__ == "__main__":
    main()
