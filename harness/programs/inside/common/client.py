"""Whoever asks a program for rows: ``python -m harness.programs.inside.common.client MODULE``.

For each line of standard input, a token, the module's `ask` is asked for a row; answers are lines of JSON on
standard output, in the order in which they come. Where the application itself starts the workers, this is
their parent: so threads, one an answer, are made after the first of them was asked for, and a `__main__` that
workers import again holds nothing.
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
    for line in sys.stdin:
        token = line.strip()
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
    # One write a line, or lines of two threads run into each other.
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
