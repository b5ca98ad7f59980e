"""What asv.conf.json loads: importing the classes is what makes asv find them."""

import sys
from pathlib import Path
from types import TracebackType

from harness.processes import interrupts

MEASURING = {"run", "continuous", "find"}
"""asv's commands that file results."""

# Before what takes its time to import, psycopg2 among it: while that one looks for `decimal`, it forgets a
# KeyboardInterrupt as it would any other exception.
if MEASURING & set(sys.argv):
    interrupts.first_counts(in_a_line=True)

from harness.releases import environment, machine, repo, run  # noqa: E402
from harness.releases.errors import told_by_asv  # noqa: E402
from harness.system.errors import PoolstartError  # noqa: E402

__all__ = ["environment", "repo", "setup"]


def setup() -> None:
    """Called by asv when it has loaded the plugin, before it runs a command."""
    # `asv machine` is how a user names this machine: nothing may have named it before.
    if "machine" not in sys.argv:
        machine.ensure()
    if MEASURING & set(sys.argv[1:]):
        machine.refuse_another(Path("results"), machine.told(sys.argv))
        with told_by_asv():
            run.current()
    sys.excepthook = tell


def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What the user can mend about files is told in one line: asv would print a traceback."""
    if isinstance(error, PoolstartError):
        print(f"poolstart: {error}", file=sys.stderr)
    elif isinstance(error, OSError) and error.filename:
        print(
            f"poolstart: {error.filename}: {error.strerror}; see that it can be written to, and that the "
            "disk has space",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, trace)
