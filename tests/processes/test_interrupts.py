"""The first Ctrl-C ends a program wherever it falls, with one line."""

import signal
import subprocess
import sys

import pytest

from harness.processes import interrupts
from tests.support.remains import LIMIT, Scene, scene

HEARS = "from harness.processes import interrupts\ninterrupts.first_counts()\n"

BUSY = {
    "in Python": "while True: pass",
    "in a callback that swallows what is raised": """
import weakref
class Thing: pass
def swallow(_):
    while True: pass
thing = Thing()
reference = weakref.ref(thing, swallow)
del thing
""",
    "in imports": """
import sys
while True:
    sys.modules.pop("json", None)
    import json
""",
    "in a C library that goes on after signals": """
import ctypes
while True:
    ctypes.CDLL(None).sem_wait(ctypes.create_string_buffer(32))
""",
    "in a lock": "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    "behind an except of everything": """
while True:
    try:
        while True: pass
    except BaseException: pass
""",
}

FIRST = """
import sys
from harness.processes import interrupts
sys.argv[:2] = sys.argv[1:2]
def heard(**_):
    print(*sorted(name for name in sys.modules if name.split(".")[0] in {"harness", "psycopg2"}))
interrupts.first_counts = heard
import harness.releases.plugin
"""


@pytest.mark.parametrize("program", ["bin/asv", "site-packages/asv/__main__.py"])
def test_asv_hears_of_it_before_anything_is_imported_that_swallows_it(program: str) -> None:
    """psycopg2 is such a thing: its C code tries an import, and forgets how that ended."""
    with scene() as here:
        run = here.python("-c", FIRST, program, "run", stdout=subprocess.PIPE)
        said, _ = run.communicate(timeout=300)
    assert said.split() == [
        "harness",
        "harness.processes",
        "harness.processes.interrupts",
        "harness.releases",
        "harness.releases.plugin",
    ]


def ready(here: Scene, program: str) -> "subprocess.Popen[str]":
    run = here.python(
        "-c",
        HEARS + "print('ready', flush=True)\n" + program,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert run.stdout.readline() == "ready\n"
    return run


@pytest.mark.parametrize("program", BUSY.values(), ids=list(BUSY))
def test_it_counts_whatever_the_program_is_doing(program: str) -> None:
    with scene() as here:
        run = ready(here, program)
        run.send_signal(signal.SIGINT)
        assert run.communicate(timeout=LIMIT) == ("", "poolstart: interrupted\n")
        assert run.returncode == interrupts.STATUS


def test_what_the_program_holds_has_gone_with_it() -> None:
    holds = (
        "import sys\nfrom harness.processes.supervision import Supervision\n"
        "owned = Supervision()\nowned.directory()\n"
        "owned.start([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    )
    with scene() as here:
        run = ready(here, holds + "while True: pass")
        here.wait_for(lambda: here.processes("time.sleep"), "it has started a process")
        run.send_signal(signal.SIGINT)
        run.wait(LIMIT)
        here.wait_until_gone()


def test_a_program_that_was_started_to_ignore_it_does() -> None:
    """As the shell of a script starts what is in its background."""
    program = HEARS + "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('goes on')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout == "goes on\n"
