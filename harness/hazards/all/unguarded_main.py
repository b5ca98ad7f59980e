"""A program without a guard around the start of its workers."""

import subprocess
import sys

from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent

SCRIPT = """\
import multiprocessing, os, sys
print("top", os.getpid(), flush=True)

def work():
    print("work", os.getpid(), flush=True)

process = multiprocessing.get_context(sys.argv[1]).Process(target=work)
process.start()
process.join()
print("end", process.exitcode, flush=True)
"""
"""What users write. Nothing is guarded."""


def reproduce(parent: Parent) -> bool:
    script = parent.scratch / "script.py"
    script.write_text(SCRIPT)
    # One process and not a pool: a pool would replace the worker that failed, for ever.
    done = subprocess.run(
        [sys.executable, script, parent.strategy.start_method], capture_output=True, text=True
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    tops = sum(kind == "top" for kind, _ in lines)
    worked = sum(kind == "work" for kind, _ in lines)
    parent.tell("parent", "Starts a worker at the top of its script, without a guard.")
    if tops > 1:
        parent.tell("worker", "Runs the script from its top, comes to the start of a worker, and fails.")
    parent.tell("worker", "Ran its task." if worked else "Never came to its task.")
    parent.tell("server", "Nothing: no database takes part.")
    error = [line for line in done.stderr.splitlines() if line.startswith("RuntimeError")]
    if not worked and not error:
        raise RuntimeError(f"the script ended with status {done.returncode}, and not as expected")
    if error:
        following = done.stderr.partition(error[0])[2].strip().split("\n\n")[0]
        parent.tell("user", f"{error[0].strip()} {following}")
    else:
        parent.tell("user", "Nothing unusual.")
    return not worked


HAZARD = Hazard(
    id="unguarded_main",
    title="A program without a guard",
    description=(
        "A worker of spawn or forkserver imports the main script to find its function. Where the script"
        " starts workers at its top, each worker comes to that line too, before it has come to its task;"
        " Python refuses, and the worker fails. A pool then replaces it, and the next one fails as well, for"
        " ever. A forked worker imports nothing, so the same script has worked for years under fork, and"
        " stopped when the default start method became forkserver in Python 3.14."
    ),
    symptom=(
        "RuntimeError: An attempt has been made to start a new process before the current process has"
        " finished its bootstrapping phase. In a pool, again and again, and map never returns."
    ),
    affected_when="The worker's task is never run.",
    avoidance='Start workers under if __name__ == "__main__":, under every start method.',
    severity=Severity.LOUD_ERROR,
    messages=(
        "An attempt has been made to start a new process before the current process has finished its"
        " bootstrapping phase.",
    ),
    links=(
        "https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods",
        "https://github.com/AnswerDotAI/RAGatouille/issues/10",
        "https://github.com/SigProfilerSuite/SigProfilerExtractor/issues/121",
    ),
    reproduce=reproduce,
    affected_control="spawn",
    survives_control="fork_dispose",
)
