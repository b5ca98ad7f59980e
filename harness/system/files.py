"""Our own files: replaced as a whole or not at all, and named in the error if they are damaged."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


def write(path: Path, text: str) -> None:
    """Replace the content of a file; if anything fails, the old content is intact.

    Raises `PoolstartError` if it cannot be written.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if target.exists() and not target.is_file():
            # /dev/stdout, for example, cannot be replaced.
            target.write_text(text, encoding="utf-8")
            return
        try:
            part.write_text(text, encoding="utf-8")
            if target.exists():
                shutil.copymode(target, part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise PoolstartError(
            f"{shown(path)} cannot be written: {error.strerror}",
            "check that its directory exists and is yours, and that the disk has space",
        ) from None


@contextmanager
def reading(path: Path, remedy: str) -> Iterator[None]:
    """A context in which a file is read and its content used.

    Raises `PoolstartError`, which names the file, if it cannot be read, or if its content is not as expected.
    """
    try:
        yield
    except OSError as error:
        raise PoolstartError(f"{shown(path)} cannot be read: {error.strerror}", remedy) from None
    except KeyError as error:
        raise PoolstartError(f"{shown(path)} cannot be read: it lacks {error}", remedy) from None
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise PoolstartError(f"{shown(path)} cannot be read: {error}", remedy) from None


def shown(path: Path) -> str:
    """A path for messages: relative to the checkout if it is inside it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
