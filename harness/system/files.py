"""poolstart's own files: replaced as a whole or not at all, and named in the error if they are damaged."""

import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.system.environment import ROOT
from harness.system.errors import PoolstartError


def write(path: Path, text: str) -> None:
    """Replace the content of a file; if anything fails, the old content is intact.

    Raises `PoolstartError` if it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            # A device such as /dev/stdout cannot be replaced.
            path.write_text(text, encoding="utf-8")
            return
        with replacing(path) as part:
            part.write_text(text, encoding="utf-8")
    except OSError as error:
        raise not_written(path, error) from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A context in which to write the file that it yields, which then replaces `path`.

    Raises OSError if that fails. The old file is intact then, and also if this process is killed.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    for other in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        if not _runs(other.suffixes[-2].removeprefix(".")):
            other.unlink(missing_ok=True)
    try:
        yield part
        if target.exists():
            shutil.copymode(target, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Raise `PoolstartError` if this file, or a file in this directory, could not be written.

    A directory that is missing is made.
    """
    directory = path.parent if path.suffix else path
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b" " * 4096)
    except OSError as error:
        raise not_written(path, error) from None


def not_written(path: Path, error: OSError) -> PoolstartError:
    """The error for a file that the operating system does not allow to be written."""
    return PoolstartError(
        f"{shown(path)} cannot be written: {error.strerror}",
        "check that its directory exists and is yours, and that the disk has space",
    )


def _runs(pid: str) -> bool:
    """Whether the process that writes a part still runs."""
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass
    return True


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
