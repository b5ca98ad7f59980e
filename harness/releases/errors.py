"""poolstart's errors in asv's terms."""

from collections.abc import Iterator
from contextlib import contextmanager

from asv.util import UserError

from harness.system.errors import PoolstartError


@contextmanager
def as_asv_error() -> Iterator[None]:
    """Turn a `PoolstartError` into asv's own error for users, which it prints as one line (exit status 1)."""
    try:
        yield
    except PoolstartError as error:
        raise UserError(str(error)) from None
