"""The screen of a history: releases that are known to differ from the one before, without any measurement of
time."""

from collections.abc import Sequence
from itertools import pairwise

from harness.history.changes import Changes
from harness.instructions import table
from harness.instructions.table import InstructionsTable


def candidates(order: Sequence[str], known: Changes, counted: InstructionsTable | None) -> list[str]:
    """The releases whose instructions changed, or whose counts of work did, or that earlier pairs found, in
    order."""
    adjacent = set(pairwise(order))
    found = {change.release for change in known.paired} | {change.release for change in known.counts}
    for change in table.changes(counted.rows) if counted else []:
        # Rows may be missing in between: then the change has no release.
        if (change.before.release, change.after.release) in adjacent and change.whole:
            found.add(change.after.release)
    return [release for release in order if release in found]
