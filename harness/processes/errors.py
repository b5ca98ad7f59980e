"""Errors for the ways in which a measurement ends without a figure."""

import sys
from collections.abc import Iterable

from harness.system.busy import sentence
from harness.system.errors import PoolstartError


class NotApplicable(Exception):
    """The measurement is impossible here, which is not a failure; the message says why."""


class Rejected(PoolstartError):
    """The measurement was tried and failed; the subclasses are the causes."""


class ProcessHung(Rejected):
    """A process did not answer or end within its deadline, and was killed."""


class ProcessFailed(Rejected):
    """A process ended with an error."""


class ChecksFailed(Rejected):
    """The measurement was completed, but a check found it invalid."""


class ServerLost(Rejected):
    """The server stopped answering."""


def print_reasons(
    rejected: Iterable[str] = (),
    not_applicable: Iterable[str] = (),
    noisy: str = "",
    warnings: Iterable[str] = (),
    busy: str = "",
    on_record: str = "",
) -> None:
    """Print the reasons on standard error, each once; `releases/environment.py` reads them."""
    lines = [*([sentence(busy)] if busy else []), *rejected]
    lines += [f"n/a: {reason}" for reason in not_applicable]
    if noisy:
        lines.append(f"noisy: {noisy}")
    if on_record:
        lines.append(f"on record: {on_record}")
    lines += [f"warning: {line}" for line in warnings]
    for line in dict.fromkeys(lines):
        print(f"poolstart: {line}", file=sys.stderr)
