"""A DataFrame built at module level is built again in every worker that imports the script."""

import json
from textwrap import indent

from harness.hazards.conditions import GUARD
from harness.hazards.hazard import Hazard, HazardFigure, Severity
from harness.hazards.inside.parent import Parent

SCRIPT = """\
import json, multiprocessing, os, sys, time
BEGIN = time.monotonic_ns()
import numpy, pandas
FRAME = pandas.DataFrame({"value": numpy.arange(2_000_000)})
BUILT = (os.getpid(), (time.monotonic_ns() - BEGIN) / 1e9)

def work(pipe):
    with open("/proc/self/smaps_rollup") as lines:
        private = sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))
    pipe.send((time.monotonic_ns(), BUILT, private))

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,))
    start = time.monotonic_ns()
    process.start()
    first_line, (builder, seconds), private = ours.recv()
    process.join()
    print(json.dumps({
        "again": builder not in (0, os.getpid()), "build": seconds,
        "start": (first_line - start) / 1e9, "private": private,
    }))
"""
"""A typical script. The start of the workers is guarded, as it must be; the frame is not."""


def reproduce(parent: Parent) -> bool:
    script = guarded(SCRIPT) if parent.keeps_condition else SCRIPT
    result = json.loads(parent.run_script(script).stdout)
    parent.measure("start", result["start"])
    parent.measure("private", result["private"])
    parent.tell("parent", "Builds a DataFrame of 15 MiB at the top of its script, then starts a worker.")
    if result["again"]:
        parent.tell(
            "worker",
            f"Runs the script from its top: frame and imports again, {result['build']:.1f} s.",
        )
    else:
        parent.tell("worker", "Has the frame of the parent.")
    parent.tell("server", "Nothing: no database is involved.")
    private = f"{result['private'] / 2**20:.0f} MiB"
    parent.tell("user", f"A worker that takes {result['start']:.2f} s to start, with {private} of its own.")
    return bool(result["again"])


def guarded(script: str) -> str:
    """The script with its frame under the guard, so that workers do not build it."""
    frame = script[script.index("BEGIN = ") : script.index("def work")]
    guard = 'if __name__ == "__main__":\n'
    return script.replace(frame, "BUILT = (0, 0.0)\n\n").replace(guard, guard + indent(frame, "    "))


HAZARD = Hazard(
    id="module_frame",
    title="A DataFrame at module level",
    description=(
        "Workers started by spawn or forkserver import the main script to find their function. Everything at"
        " its top level, outside the __main__ guard, runs again in each of them: loading a DataFrame,"
        " connecting to a database, reading a model."
    ),
    symptom=(
        "Every worker takes seconds to start and as much memory as the parent, and the log shows the data"
        " being loaded once per worker."
    ),
    affected_when="The worker has built the frame again instead of having the parent's.",
    avoidance=(
        'Build data under if __name__ == "__main__": and pass workers what they need; or keep the worker\'s'
        " function in a module of its own."
    ),
    severity=Severity.COST,
    messages=(),
    links=(
        "https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods",
        "https://github.com/mindsdb/mindsdb_native/pull/379",
    ),
    condition=GUARD,
    affected_control="spawn",
    survives_control="fork_dispose",
    figures=(
        HazardFigure("start", "from Process.start() to the worker's first line", "seconds"),
        HazardFigure("private", "private memory of the worker at its first line", "bytes"),
    ),
)
