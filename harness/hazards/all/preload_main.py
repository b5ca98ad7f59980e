"""The fork server preloads the main module, and the main module connects."""

import json
import sys
from textwrap import indent

from harness.hazards.conditions import GUARD
from harness.hazards.hazard import Hazard, Severity
from harness.hazards.inside.parent import Parent
from harness.strategies import Strategy

URL = "POOLSTART_HAZARD_URL"
"""Environment variable: the URL the script connects to. `sys.argv` is empty in some fork servers."""

SCRIPT = """\
import json, multiprocessing, os, sys
from sqlalchemy import create_engine

ENGINE = create_engine(os.environ["POOLSTART_HAZARD_URL"])
with ENGINE.connect():
    pass
OPENED_BY = os.getpid()

def work(pipe):
    with ENGINE.connect() as connection:
        backend = connection.exec_driver_sql("select pg_backend_pid()").scalar()
        pipe.send((backend, OPENED_BY == os.getpid()))
        pipe.recv()  # the server may reuse the pid of a backend that has ended

if __name__ == "__main__":
    method, *preload = sys.argv[1:]
    context = multiprocessing.get_context(method)
    if preload:
        context.set_forkserver_preload(preload)
    workers, found = [], []
    for number in range(2):  # one after another: both at once is another hazard
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs,))
        process.start()
        theirs.close()
        try:
            found.append(ours.recv())
            workers.append((ours, process))
        except EOFError:
            found.append(None)
    print(json.dumps(found))
    for pipe, process in workers:  # here too: each gives back a connection that both may hold
        pipe.send(None)
        process.join()
"""
"""A typical script. The start of the workers is guarded, as it must be; the engine is not."""


def preloads_main() -> bool:
    """Whether this Python preloads `__main__`. It was meant to since 3.4, but did not."""
    version = sys.version_info[:3]
    return version >= (3, 14, 1) or (3, 13, 8) <= version < (3, 14)


def where_main_is_not_forked(strategy: Strategy) -> str:
    if strategy.start_method == "fork":
        return "its worker inherits the parent's own main module; shared_socket is about that"
    return ""


def needs_a_preloaded_main() -> str:
    if preloads_main():
        return ""
    python = ".".join(map(str, sys.version_info[:3]))
    return f"Python {python} does not preload __main__: 3.13.8 and 3.14.1 are the first"


def reproduce(parent: Parent) -> bool:
    script = guarded(SCRIPT) if parent.keeps_condition else SCRIPT
    done = parent.run_script(script, *parent.strategy.preload, variables={URL: parent.url})
    (first, second) = json.loads(done.stdout)
    parent.tell("parent", "Makes an engine and connects at the top of its script, then starts two workers.")
    if not first or not second:
        parent.tell("worker", "Uses the engine of the script, and fails.")
        parent.tell("server", "Ends a session that two workers have used.")
        parent.tell("user", done.stderr.strip().splitlines()[-1])
        return True
    shared = bool(first[0] == second[0])
    opener = "itself" if first[1] else "the fork server, which has preloaded the script"
    parent.tell("worker", f"Uses the engine of the script, connected by {opener}.")
    parent.tell("server", f"Sees {'one session' if shared else 'two sessions'} for two workers.")
    parent.tell("user", "Nothing, until both workers query at once." if shared else "Nothing unusual.")
    return shared


def guarded(script: str) -> str:
    """The script with its engine under the guard; each worker makes an engine of its own."""
    engine = script[script.index("ENGINE = ") : script.index("def work")]
    guard, work = 'if __name__ == "__main__":\n', "def work(pipe):\n"
    own = '    ENGINE, OPENED_BY = create_engine(os.environ["POOLSTART_HAZARD_URL"]), os.getpid()\n'
    return script.replace(engine, "").replace(work, work + own).replace(guard, guard + indent(engine, "    "))


HAZARD = Hazard(
    id="preload_main",
    title="A preloaded main module that connects",
    description=(
        "By default the fork server preloads __main__, so that workers need not import it. For twelve years"
        " this silently had no effect: each worker imported the script itself, and what the script opened at"
        " its top level was the worker's own. Python 3.13.8 and 3.14.1 fixed this. Now the script's top level"
        " runs once, in the fork server, and every worker inherits a connection opened there. Since"
        " forkserver is the default from 3.14 on, a program can get this problem from an upgrade of Python"
        " alone."
    ),
    symptom=(
        "After an upgrade of Python, workers get each other's rows or protocol errors, although nothing uses"
        " fork."
    ),
    affected_when="Two workers that use the script's engine share a backend, or one of them fails.",
    avoidance=(
        'Create engines under if __name__ == "__main__": or in the worker. Or name the modules to preload and'
        ' leave __main__ out: multiprocessing.set_forkserver_preload(["sqlalchemy", "psycopg2"]).'
    ),
    severity=Severity.WRONG_DATA,
    messages=(
        "error with status PGRES_TUPLES_OK and no message from the libpq",
        "SSL error: decryption failed or bad record mac",
    ),
    links=(
        "https://github.com/python/cpython/pull/135295",
        "https://github.com/python/cpython/issues/137996",
        "https://docs.python.org/3/library/multiprocessing.html#multiprocessing.set_forkserver_preload",
    ),
    condition=GUARD,
    affected_control="forkserver",
    survives_control="spawn",
    not_applicable=where_main_is_not_forked,
    missing=needs_a_preloaded_main,
    follows_releases=False,
)
