"""The checks of a program's workers: a run in which one fails yields no figures."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from harness.programs.head import Program


class RowReport(TypedDict, total=False):
    """What a worker reports of its row (`inside/common/database.py`), or the error it met."""

    token: str
    pid: int
    first_row: int
    """When it had the row: `time.monotonic_ns()`."""
    echo: str
    """The token, as it came back from the server."""
    backend: int
    """The server's pid of the session."""
    hooked: bool
    """Whether `engine.dispose` was called in this process."""
    error: str


def findings(program: Program, loaded: Mapping[int, int], reports: Sequence[RowReport]) -> list[str]:
    """What is wrong with workers that hold their rows; empty if the run counts.

    `loaded` maps the pid of each process that loaded the application to its session.
    """
    for report in reports:
        if "error" in report:
            return [report["error"]]
    failed = []
    if len({report["pid"] for report in reports}) != len(reports):
        failed.append("two rows came from one worker")
    if any(report["echo"] != report["token"] for report in reports):
        failed.append("a worker got another worker's row")
    backends = [report["backend"] for report in reports]
    if len(set(backends)) != len(backends) or not all(has_own_session(report, loaded) for report in reports):
        failed.append("workers shared a session")
    if ".dispose(" in program.hook and not all(report["hooked"] for report in reports):
        failed.append("the hook did not run")
    return failed


def has_own_session(report: RowReport, loaded: Mapping[int, int]) -> bool:
    """Whether a worker's session is not that of another process which loaded the application."""
    return report["backend"] not in {backend for pid, backend in loaded.items() if pid != report["pid"]}
