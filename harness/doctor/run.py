"""Runs a command and observes it: its processes report from inside, and are watched from outside."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.doctor import fixes
from harness.doctor.evidence import inside, server
from harness.doctor.evidence.evidence import TreeEvidence
from harness.doctor.evidence.lifetimes import Lifetimes
from harness.doctor.examine import examine
from harness.doctor.findings import Finding
from harness.doctor.judge import both, engines, outside, processes
from harness.doctor.judge import reports as from_reports
from harness.system.errors import PoolstartError

INSIDE = Path(__file__).with_name("inside")

LOOK = 1.5
"""Seconds of one look from outside."""

LOOKS = "looks"
"""A file in the directory of reports, with a byte for each look whose findings are known."""


@dataclass(frozen=True)
class Observed:
    """A command that was run, and what was found."""

    status: int
    """Its exit status; 128 and the signal's number if a signal ended it, as in a shell."""
    findings: list[Finding]
    processes: int
    """Processes that have reported."""
    forks: int
    looks: int
    """Looks from outside."""
    notes: tuple[str, ...]
    first_uses: dict[int, float]
    """For how many seconds each forked worker lived until its first use of a connection was over."""


def observe(command: Sequence[str], *, guard: bool = False, url: str = "") -> Observed:
    """Run a command with this process's terminal, and observe it until it ends.

    Ctrl-C goes to the command as well, and observing ends with it. Raises `PoolstartError` if the command
    cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="poolstart-doctor-") as name:
        directory = Path(name)
        if os.geteuid() == 0:
            # Workers may run as another user. They can add files, and not read those of others.
            directory.chmod(0o1733)
        found: dict[tuple[str, str], Finding] = {}
        notes: dict[str, None] = {}
        locked: dict[int, None] = {}
        looks, evidence = 0, None
        lifetimes = Lifetimes(directory)
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            process = _start(command, directory, guard)
            while process.poll() is None:
                with suppress(PoolstartError):
                    if not (seen := _look(process, url, directory, lifetimes)):
                        continue
                    evidence = seen
                    for finding in outside.judge(evidence):
                        key = (finding.hazard, finding.sentence)
                        if key not in found or finding.sure:
                            found[key] = finding
                    notes.update(dict.fromkeys(evidence.notes))
                    locked.update(dict.fromkeys(pid for pid in evidence.locked if pid in evidence.copies))
                    looks += 1
                    # The program may have removed the directory.
                    with suppress(OSError), (directory / LOOKS).open("ab") as file:
                        file.write(b".")
        finally:
            signal.signal(signal.SIGINT, previous)
            lifetimes.close()
        reports = inside.read(directory)
        if lifetimes.elsewhere:
            pids = ", ".join(map(str, sorted(lifetimes.elsewhere)))
            notes[f"who outlives whom among {pids}, which are pids of another PID namespace"] = None
    framework = fixes.framework(
        [*command, *(p.command for p in evidence.processes.values())] if evidence else command
    )
    from_inside = [
        *both.hangs(reports, locked),
        *both.orphaned(reports, lifetimes.survivors(reports)),
        *processes.signals(reports, lifetimes.alive),
        *engines.capacity(reports, _limit(url), url, lifetimes.alive),
        *from_reports.judge([report for report in reports if not lifetimes.moved(report)], framework),
    ]
    moved = {(report.pid, report.opener) for report in reports if lifetimes.moved(report)}
    status = process.returncode
    return Observed(
        status=128 - status if status < 0 else status,
        findings=both.merged(from_inside, [each for each in found.values() if not both.moved(each, moved)]),
        processes=len({report.pid for report in reports}),
        forks=sum(report.event == "forked" for report in reports),
        looks=looks,
        notes=tuple(notes),
        first_uses=inside.first_uses(reports),
    )


def _limit(url: str) -> int:
    """How many connections the server accepts; 0 if that is not known."""
    with suppress(PoolstartError):
        return server.view(url).max_connections if url else 0
    return 0


def _start(command: Sequence[str], directory: Path, guard: bool) -> "subprocess.Popen[bytes]":
    path = os.pathsep.join(filter(None, (str(INSIDE), os.environ.get("PYTHONPATH", ""))))
    variables = {
        "PYTHONPATH": path,
        "POOLSTART_DOCTOR": str(directory),
        "POOLSTART_DOCTOR_NAMESPACE": str(os.stat("/proc/self/ns/pid").st_ino),
    }
    if guard:
        variables["POOLSTART_DOCTOR_GUARD"] = "1"
    try:
        return subprocess.Popen(
            command,
            env={**os.environ, **variables},
            # Signals are as this process has found them.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
        )
    except OSError as error:
        raise PoolstartError(f"{command[0]}: {error.strerror}", "check the command") from None


def _look(
    process: "subprocess.Popen[bytes]", url: str, directory: Path, lifetimes: Lifetimes
) -> TreeEvidence | None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(LOOK / 2)
        return None
    return examine(
        process.pid,
        LOOK,
        url=url,
        besides=lifetimes.running(),
        reports=lambda: inside.read(directory),
        over=lambda: process.poll() is not None,
    )
