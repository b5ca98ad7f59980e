"""The one exception a user is meant to read."""

import errno

REFUSALS = {
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room on that disk, or have your quota raised",
    errno.EFBIG: "raise the limit of file sizes (`ulimit -f`)",
    errno.EROFS: "use a directory that can be written to",
    errno.EACCES: "see that you may use it",
    errno.EPERM: "see that you may use it",
    errno.EIO: "see to the disk",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
    errno.ENFILE: "end some of what runs on this machine",
    errno.EAGAIN: "end some of what runs on this machine, or raise the limit of processes (`ulimit -u`)",
    errno.ENOMEM: "end some of what runs on this machine",
}
"""What a machine may refuse to a program without a fault, and what to do then."""


class PoolstartError(Exception):
    """Something the user can mend, told in one line: what is wrong, and what to do."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = " ".join(problem.split())
        self.remedy = " ".join(remedy.split())
        super().__init__(f"{self.problem}; {self.remedy}" if remedy else self.problem)


def refused(error: OSError) -> PoolstartError | None:
    """What the machine refused, in one line; None where the error is a fault of the program."""
    remedy = REFUSALS.get(error.errno or 0)
    if remedy is None and "No usable temporary directory" in str(error.strerror):
        remedy = "set TMPDIR to a directory that can be written to"
    if remedy is None:
        return None
    where = f"{error.filename}: " if error.filename else ""
    return PoolstartError(f"{where}{error.strerror}", remedy)
