"""The plugin that asv.conf.json names: asv finds its classes because they are imported here."""

import sys
from contextlib import ExitStack
from pathlib import Path

from harness.processes import interrupts

MEASURING = {"run", "continuous", "find"}
"""The commands of asv that store results."""

# This precedes the slow imports, since psycopg2 discards any exception, even KeyboardInterrupt, while it
# imports `decimal`. Ctrl-C is meant to end `asv preview`; a test that imports this module keeps its handler.
# asv is run as `asv`, or as `python -m asv`, which is asv/__main__.py.
if "asv" in Path(sys.argv[0]).parts[-2:] and "preview" not in sys.argv:
    interrupts.first_counts(in_a_line=True)

from harness.releases import environment, machine, repo, run, saving  # noqa: E402
from harness.releases.errors import as_asv_error, print_exception  # noqa: E402
from harness.system import files, locks  # noqa: E402
from harness.system.environment import ROOT  # noqa: E402

__all__ = ["environment", "repo", "saving", "setup"]

_owned = ExitStack()
"""The locks that this process owns until it ends."""


def setup() -> None:
    """Prepare for a command; asv calls this after it has loaded the plugin."""
    sys.excepthook = print_exception
    # With `asv machine` the user names this machine, so no name may be stored before that.
    if "machine" not in sys.argv:
        machine.ensure()
    if MEASURING & set(sys.argv[1:]):
        prepare()


def prepare() -> None:
    """Make sure that the run will be able to store its results, and that no other run is active here."""
    results = Path("results")
    machine.refuse_another(results, machine.named(sys.argv))
    with as_asv_error():
        files.require_writable(results)
        _owned.enter_context(locks.locked(locks.RESULTS.relative_to(ROOT)))
        run.current()
