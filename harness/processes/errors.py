"""The ways in which a measurement ends without a figure."""

from harness.system.errors import PoolstartError


class NotApplicable(Exception):
    """It cannot be measured here, which is no failure; the message says why."""


class Rejected(PoolstartError):
    """It was tried, and gives no figure; the subclasses are the causes."""


class ProcessHung(Rejected):
    """A process did not answer or end within its deadline, and was killed."""


class ProcessFailed(Rejected):
    """A process ended with an error."""


class ChecksFailed(Rejected):
    """The measurement was completed, but is not what it should be."""


class ServerLost(Rejected):
    """The server stopped answering."""
