"""A program that starts workers without a __main__ guard."""

from textwrap import indent

from harness.hazards.conditions import GUARD
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
"""A typical script. Nothing is guarded."""


def reproduce(parent: Parent) -> bool:
    # One process, since a pool would replace the failed worker forever.
    done = parent.run_script(guarded(SCRIPT) if parent.keeps_condition else SCRIPT, check=False)
    lines = [line.split() for line in done.stdout.splitlines()]
    tops = sum(kind == "top" for kind, _ in lines)
    worked = sum(kind == "work" for kind, _ in lines)
    parent.tell("parent", "Starts a worker at the top of its script, without a guard.")
    if tops > 1:
        parent.tell("worker", "Runs the script from its top, reaches the start of a worker, and fails.")
    parent.tell("worker", "Ran its task." if worked else "Never reached its task.")
    parent.tell("server", "Nothing: no database is involved.")
    error = [line for line in done.stderr.splitlines() if line.startswith("RuntimeError")]
    if not worked and not error:
        raise RuntimeError(f"the script ended with status {done.returncode}, and not as expected")
    if error:
        following = done.stderr.partition(error[0])[2].strip().split("\n\n")[0]
        parent.tell("user", f"{error[0].strip()} {following}")
    else:
        parent.tell("user", "Nothing unusual.")
    return not worked


def guarded(script: str) -> str:
    """The script with a guard."""
    head, start = script.split("process = ")
    return f'{head}if __name__ == "__main__":\n{indent("process = " + start, "    ")}'


HAZARD = Hazard(
    id="unguarded_main",
    title="A script without a main guard",
    description=(
        "A worker started by spawn or forkserver imports the main script to find its function. If the script"
        " starts workers at its top level, each worker reaches that line too, before its task; Python"
        " refuses, and the worker fails. A pool then replaces it, and the next one fails as well, for ever. A"
        " forked worker imports nothing, so the same script worked for years under fork, and stopped working"
        " when forkserver became the default start method in Python 3.14."
    ),
    symptom=(
        "RuntimeError: An attempt has been made to start a new process before the current process has"
        " finished its bootstrapping phase. With a pool, again and again, and map() never returns."
    ),
    affected_when="The worker's task never runs.",
    avoidance='Start workers under if __name__ == "__main__":, whatever the start method.',
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
    condition=GUARD,
    affected_control="spawn",
    survives_control="fork_dispose",
)
