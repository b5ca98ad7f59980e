"""Files of ours: written whole or not at all, and read with one line about what is wrong with them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


def write(path: Path, text: str) -> None:
    """Make `text` the content of a file; whatever happens meanwhile, either the old or the new one is there.

    Raises `PoolstartError` where it cannot be written.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if target.exists() and not target.is_file():
            # /dev/stdout, for example: nothing can be put in its place.
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
            "see that its directory is there and yours, and that the disk has space",
        ) from None


@contextmanager
def understood(path: Path, remedy: str) -> Iterator[None]:
    """While a file is read: what is wrong with it is a `PoolstartError` that names it."""
    try:
        yield
    except OSError as error:
        raise PoolstartError(f"{shown(path)} cannot be read: {error.strerror}", remedy) from None
    except KeyError as error:
        raise PoolstartError(f"{shown(path)} cannot be read: it lacks {error}", remedy) from None
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        raise PoolstartError(f"{shown(path)} cannot be read: {error}", remedy) from None


def shown(path: Path) -> str:
    """A path as people write it: from the checkout on, where it is in there."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
