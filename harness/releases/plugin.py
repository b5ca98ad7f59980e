"""The plugin that asv.conf.json names: asv finds its classes because they are imported here."""

import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from harness.processes import interrupts

MEASURING = {"run", "continuous", "find"}
"""The commands of asv that store results."""

# Before the slow imports: psycopg2 discards any exception, KeyboardInterrupt too, while it imports `decimal`.
if MEASURING & set(sys.argv):
    interrupts.first_counts(in_a_line=True)

from harness.releases import environment, machine, repo, run, saving  # noqa: E402
from harness.releases.errors import as_asv_error  # noqa: E402
from harness.system import files, locks  # noqa: E402
from harness.system.environment import ROOT  # noqa: E402
from harness.system.errors import PoolstartError  # noqa: E402

__all__ = ["environment", "repo", "saving", "setup"]

_owned = ExitStack()
"""What this process owns until it ends."""


def setup() -> None:
    """Prepare for a command; asv calls this after it has loaded the plugin."""
    # With `asv machine` the user names this machine: no name may be stored before that.
    if "machine" not in sys.argv:
        machine.ensure()
    if MEASURING & set(sys.argv[1:]):
        prepare()
    sys.excepthook = print_exception


def prepare() -> None:
    """See that the end of a run will be able to store its results, and that no other run is at work here."""
    results = Path("results")
    machine.refuse_another(results, machine.named(sys.argv))
    with as_asv_error():
        files.require_writable(results)
        _owned.enter_context(locks.locked(locks.RESULTS.relative_to(ROOT)))
        run.current()


def print_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one line for an error that the user can correct, where asv would print a traceback."""
    if isinstance(error, PoolstartError):
        print(f"poolstart: {error}", file=sys.stderr)
    elif isinstance(error, OSError) and error.filename:
        print(
            f"poolstart: {error.filename}: {error.strerror}; check that it can be written to and that the "
            "disk has space",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, trace)
