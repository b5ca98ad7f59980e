"""Converts poolstart's errors to asv's and asv's to poolstart's: one line instead of a traceback."""

import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import asv.commands.compare
import asv.commands.show
import asv.util
from asv.util import UserError

from harness.system.errors import PoolstartError, no_thread, os_error_hint


@contextmanager
def as_asv_error() -> Iterator[None]:
    """Turn a `PoolstartError` into asv's own error for users, which it prints as one line (exit status 1)."""
    try:
        yield
    except PoolstartError as error:
        raise UserError(str(error)) from None


def print_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print one line for an error that the user can correct, where asv would print a traceback."""
    if isinstance(error, BrokenPipeError):
        # The reader of the output has ended, as `head` does, so there is no use in a message.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    elif user_error := as_user_error(error):
        print(f"poolstart: {user_error}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


def as_user_error(error: BaseException) -> PoolstartError | None:
    """The error of an asv command in one line; None if it is a fault of the program."""
    if isinstance(error, PoolstartError):
        return error
    if isinstance(error, OSError) and error.filename:
        remedy = "check that it can be written to and that the disk has space"
        return os_error_hint(error) or PoolstartError(f"{error.filename}: {error.strerror}", remedy)
    if isinstance(error, re.error):
        return PoolstartError(f"{error.pattern!r} is no regular expression: {error.msg}", "correct it")
    last = traceback.extract_tb(error.__traceback__)[-1:]
    if (
        isinstance(error, TypeError)
        and any(frame.name == "fnmatchcase" for frame in last)
        and "rm" in sys.argv
    ):
        return PoolstartError(
            "not every result has the parameter that `asv rm` is to match",
            "name commit_hash, benchmark, python or a package of asv.conf.json",
        )
    return no_thread(error)


LOAD_JSON = asv.util.load_json


def load_json(path: str, *arguments: Any, **options: Any) -> Any:
    """Load JSON as asv does, but treat a file that is not UTF-8 like one that is not JSON."""
    try:
        return LOAD_JSON(path, *arguments, **options)
    except UnicodeDecodeError as error:
        raise UserError(f"Error parsing JSON in file '{os.path.abspath(path)}': {error}") from None


for module in (asv.util, asv.commands.compare, asv.commands.show):
    module.load_json = load_json
