"""1. `os.fork()` is called once and returns twice; both sides print their pid.

With another start method the same is done by multiprocessing, and the new process compares itself with
its parent. Where strace is installed, the system calls are printed as well.
"""

import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

from harness.demos.helpers import options, stack_start, tell

STARTS_ONE = "import multiprocessing as m; p = m.get_context({!r}).Process(target=print); p.start(); p.join()"
"""The smallest program that starts a worker."""


def forked(cured: bool) -> None:
    stack = stack_start()
    pid = os.fork()
    who = "parent" if pid else "worker"
    tell(who, f"Is process {os.getpid()}; os.fork() returned {pid or 0} here.")
    if pid == 0:
        tell(who, compared(stack))
        if cured:
            os._exit(0)
    elif cured:
        os.waitpid(pid, 0)
        tell(who, "Has waited for its worker.")
    tell(who, "Runs the rest of the program.")


def started(start_method: str, cured: bool) -> None:
    context = multiprocessing.get_context(start_method)
    process = context.Process(target=compare, args=(os.getpid(), stack_start()))  # type: ignore[attr-defined]
    process.start()
    tell("parent", f"Is process {os.getpid()}; started process {process.pid} by {start_method}.")
    if cured:
        process.join()
        tell("parent", "Has waited for its worker.")
    tell("parent", "Runs the rest of the program.")


def compare(parent: int, stack: int) -> None:
    child_of = "the parent's" if os.getppid() == parent else "the fork server's"
    tell("worker", f"Is process {os.getpid()}, {child_of} child.")
    tell("worker", compared(stack))


def compared(stack: int) -> str:
    if stack_start() == stack:
        return "Its memory is the parent's: the stack begins at the same address. No execve took place."
    return "Its memory is its own: the stack begins at another address. An execve took place."


def traced(start_method: str) -> None:
    """Start one worker under strace, and print the system calls that made it.

    spawn and forkserver start a resource tracker too, forkserver its server; both by execve.
    """
    if not shutil.which("strace"):
        tell("kernel", "strace is not installed here: the addresses of the stack are the proof.")
        return
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run(
            [
                *("strace", "-f", "-qq", "-e", "trace=fork,vfork,clone,clone3,execve", "-o", log.name),
                *(sys.executable, "-c", STARTS_ONE.format(start_method)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        calls = log.read()
    executed = set(re.findall(r"^(\d+) +(?:execve\(|<\.\.\. execve resumed>).*= 0$", calls, re.MULTILINE))
    clones = re.findall(r"^\d+ +(?:<\.\.\. )?(v?fork|clone3?)\b.*= (\d+)$", calls, re.MULTILINE)
    if not clones:
        tell("kernel", "strace may not trace here: the addresses of the stack are the proof.")
    followed = Counter((call, pid in executed) for call, pid in clones)
    for (call, execve), times in followed.items():
        then = "which calls execve at once" if execve else "which calls no execve"
        often = f" ({times} times)" if times > 1 else ""
        tell("kernel", f"One worker's start by {start_method}: {call}() makes a process, {then}{often}.")


if __name__ == "__main__":
    arguments = options()
    traced(arguments.start_method)
    if arguments.start_method == "fork":
        forked(arguments.cured)
    else:
        started(arguments.start_method, arguments.cured)
