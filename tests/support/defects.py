"""Reports with a single defect, for the tests of checks."""

import copy
from collections.abc import Sequence
from typing import Any


def with_value(report: Any, path: Sequence[str | int], value: object) -> Any:
    """A copy of a report with another value at a path of keys and indexes."""
    changed = copy.deepcopy(report)
    container = changed
    for step in path[:-1]:
        container = container[step]
    container[path[-1]] = value
    return changed
