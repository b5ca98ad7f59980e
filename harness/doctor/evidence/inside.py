"""What the observed processes have reported: lines of JSON, one file for each process."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reported:
    """A report of `inside/`."""

    event: str
    """`seen` (SQLAlchemy or a driver has been imported), `fork`, `forked`, `used`, `returned`, `closed`,
    `replaced`, `disposed`, `engines`, `guarded`, `connecting`, `connected`, `pool_used`, `started`,
    `engine`, `other_loop`, `served` (a forked process has returned its first connection) or `error`."""
    pid: int
    time: int
    """`time.monotonic_ns()`"""
    fields: dict[str, Any]

    @property
    def place(self) -> str:
        """The user's line, `app.py:12 work`."""
        return str(self.fields.get("place", ""))

    @property
    def opened(self) -> str:
        """Where the connection was opened that it is about."""
        return str(self.fields.get("opened", ""))

    @property
    def opener(self) -> int:
        return int(self.fields.get("opener", 0))


def read(directory: Path) -> list[Reported]:
    """All reports so far, in the order of time. A line that is not complete is left for later."""
    return sorted(_lines(directory), key=lambda report: report.time)


def _lines(directory: Path) -> Iterator[Reported]:
    for path in directory.glob("*.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                content = json.loads(line)
                yield Reported(content.pop("event"), content.pop("pid"), content.pop("time"), content)
            except (ValueError, KeyError):
                continue


def opened(reports: Iterable[Reported]) -> dict[int, tuple[str, str, int]]:
    """Where each connection that existed at a fork was opened, by which library and process; by inode."""
    return {
        connection["inode"]: (connection["opened"], connection["library"], report.pid)
        for report in reports
        if report.event == "fork"
        for connection in report.fields.get("connections", ())
        if connection["inode"]
    }


def fork_of(reports: Iterable[Reported], pid: int) -> Reported | None:
    """The latest fork of a process's parent before the process reported itself; None if it is not known."""
    known = list(reports)
    start = next((report for report in known if report.event == "forked" and report.pid == pid), None)
    if not start:
        return None
    parent = start.fields["parent"]
    forks = [r for r in known if r.event == "fork" and r.pid == parent and r.time <= start.time]
    return forks[-1] if forks else None


def forked(reports: Iterable[Reported], pid: int) -> list[str]:
    """The evidence of where a process was forked, if that is known."""
    fork = fork_of(reports, pid)
    return [f"forked      {fork.place}, in {fork.pid}"] if fork else []


def first_uses(reports: Iterable[Reported]) -> dict[int, float]:
    """Seconds from the fork of each process until it returned its first connection."""
    times = {(report.event, report.pid): report.time for report in reports}
    return {
        pid: (time - times["forked", pid]) / 1e9
        for (event, pid), time in times.items()
        if event == "served" and ("forked", pid) in times
    }


def starter(reports: Iterable[Reported], pid: int) -> str:
    """What forked a process, as `inside/poolstart_watch.py` names it; empty if it is not known."""
    fork = fork_of(reports, pid)
    return str(fork.fields.get("by", "")) if fork else ""
