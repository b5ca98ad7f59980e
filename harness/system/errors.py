"""The error for users, and what to do about errors of the operating system."""

import errno
import os

HINTS = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room on that disk, or have your quota raised",
    errno.EFBIG: "raise the limit of file sizes (`ulimit -f`)",
    errno.EROFS: "use a directory that can be written to",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.EIO: "check the disk",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "end some of what runs on this machine",
    errno.EAGAIN: "end some of what runs on this machine, or raise the limit of processes (`ulimit -u`)",
    errno.ENOMEM: "end some of what runs on this machine",
}
"""Remedies for errors of the operating system that are not the program's fault."""


def hint_in(text: str) -> str:
    """The remedy for the error of the operating system that a program's message names; empty without one."""
    return next((hint for number, hint in HINTS.items() if os.strerror(number) in text), "")


class PoolstartError(Exception):
    """An error that the user can fix, in one line: the problem, and what to do about it."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = " ".join(problem.split())
        self.remedy = " ".join(remedy.split())
        super().__init__(f"{self.problem}; {self.remedy}" if remedy else self.problem)


def no_thread(error: BaseException) -> PoolstartError | None:
    """The error for users if a thread could not be started, which Python reports without errno; else None."""
    if not (isinstance(error, RuntimeError) and "start new thread" in str(error)):
        return None
    return PoolstartError(str(error), HINTS[errno.EAGAIN])


def os_error_hint(error: OSError) -> PoolstartError | None:
    """The error for users, with its remedy; None if it is a fault of the program."""
    remedy = HINTS.get(error.errno or 0)
    if remedy is None and "No usable temporary directory" in str(error.strerror):
        remedy = "set TMPDIR to a directory that can be written to"
    if remedy is None:
        return None
    where = f"{error.filename}: " if error.filename else ""
    return PoolstartError(f"{where}{error.strerror}", remedy)
