"""Counts that take little time, for workers of Dask: all releases execute nearly the same instructions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.instructions import callgrind
from harness.instructions.count import PHASES, Build
from harness.instructions.remote import Counted
from harness.instructions.table import InstructionsRow
from harness.processes.wait import wait_until
from harness.records.provenance import Provenance

FOLDER = "TEST_COUNTING_FOLDER"
"""Environment variable: where workers write what they count, and wait for `go` to exist."""

LIBC = "TEST_COUNTING_LIBC"
"""Environment variable: the C library that a worker reports."""

MORE = "TEST_COUNTING_MORE"
"""Environment variable: by how much more a worker counts, relative."""

WAITS = "2.0.52"
"""The release whose count waits."""

REAL = "2.0.50"
"""The release whose start has what callgrind counts of `FUNCTION` besides, where valgrind is installed."""

FUNCTION = "from os import getsid; getsid(0); sum(range(10_000)); getsid(0)"

USUAL = {"start": 800_000_000, "engine": 170_000_000, "first_query": 4_000_000, "second_query": 390_000}


def stand_in(release: str, command: str) -> Counted:
    """A count of a release, of a build that is always the same unless the environment says otherwise."""
    folder = Path(os.environ[FOLDER])
    with (folder / "counted").open("a") as file:
        file.write(f"{release} {os.getpid()}\n")
    if release == WAITS:
        assert wait_until((folder / "go").exists, 300)
    libc = os.environ.get(LIBC, "glibc 2.36")
    build = Build("1", "3.11.7", libc, "x86_64 avx2", "3.19.0", "2.9.13", "embedded-18.4-tcp-trust")
    factor = 1 + float(os.environ.get(MORE, "0"))
    phases = {phase: round(USUAL[phase] * factor) for phase in PHASES}
    if release == REAL and shutil.which("valgrind"):
        phases["start"] += of_function()
    return build, InstructionsRow(
        release, phases, dict.fromkeys(PHASES, 0), True, Provenance(command=command)
    )


def of_function() -> int:
    """The instructions of `FUNCTION` between its marks."""
    with TemporaryDirectory() as folder:
        profiles, script = Path(folder, "profile"), Path(folder, "callgrind")
        script.write_text(callgrind.script(Path(sys.executable), profiles, Path(folder, "log")))
        script.chmod(0o700)
        variables = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
        subprocess.run([script, "-S", "-c", FUNCTION], env=variables, check=True, timeout=120)
        _, between, *_ = callgrind.parts(profiles)
        with between.open() as lines:
            return callgrind.read(lines).instructions


def record(path: Path, workers: int, request_of: dict[str, object]) -> None:
    """Record instructions into a file of its own, by stand-ins: here, or by `workers` of a scheduler."""
    from functools import partial

    from harness.console.progress import Progress
    from harness.instructions import recorder, remote, table
    from harness.records.recorder import Request

    table.PATH = path
    recorder.count_on = lambda server, release, command: stand_in(release, command)
    remote.distribute = partial(remote.distribute, count=stand_in)
    request = Request("instructions", **request_of)  # type: ignore[arg-type]
    if workers:
        with remote.connected(request.scheduler) as client:
            client.wait_for_workers(workers)
    recorder.InstructionsRecorder().measure(request, Progress(lambda step: print(step, flush=True)))


if __name__ == "__main__":
    import json

    # By its name, so that workers find the functions.
    from tests.support.counting import record as named

    named(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
