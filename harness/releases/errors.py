"""poolstart's errors in asv's terms."""

from collections.abc import Iterator
from contextlib import contextmanager

from asv.util import UserError

from harness.system.errors import PoolstartError


@contextmanager
def told_by_asv() -> Iterator[None]:
    """Let asv tell a `PoolstartError` the way it tells its own: one line, exit status 1."""
    try:
        yield
    except PoolstartError as error:
        raise UserError(str(error)) from None
