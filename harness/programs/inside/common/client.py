"""The client that asks a program for rows: ``python -m harness.programs.inside.common.client MODULE``.

For each token, a line of standard input, it calls the module's `ask`, and writes the answer to standard
output as a line of JSON as soon as it arrives. If the application starts its own workers, this process is
their parent. So it starts no thread before it has asked for the first row, and the `__main__` that workers
import again does nothing.
"""

import importlib
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any


def main() -> None:
    application = importlib.import_module(sys.argv[1])
    if hasattr(application, "prepare"):
        application.prepare()
    say(ready=True)
    # The lock of sys.stdin would be held meanwhile, and a worker that another thread forks closes its copy.
    for line in open(sys.stdin.fileno(), "rb", buffering=0, closefd=False):  # noqa: SIM115
        token = line.decode().strip()
        asked = time.monotonic_ns()
        try:
            answer = application.ask(token)
        except Exception as error:
            failed(token, asked, error)
        else:
            threading.Thread(target=wait, args=(token, asked, answer), daemon=True).start()


def wait(token: str, asked: int, answer: Callable[[], Any]) -> None:
    try:
        row = answer()
    except Exception as error:
        failed(token, asked, error)
    else:
        say(token=token, asked=asked, row=row)


def failed(token: str, asked: int, error: Exception) -> None:
    say(token=token, asked=asked, error=f"{type(error).__name__}: {error}")


def say(**report: Any) -> None:
    # A single write, so that lines of two threads do not mix.
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
