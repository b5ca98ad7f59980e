"""Repeats all victims of the doctor beside a busy core: `python -m tests.support.doctor_repeat FILE [TIMES]`.

Continues a file that is there, which holds for each victim and variant how often each finding was made.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.postgres import embedded
from harness.processes import load
from harness.processes.supervision import Supervision
from harness.system import files
from tests.support import frameworks
from tests.support.victims import HEALTHY, cases, doctor, observed, victim

TOGETHER = 4


def programs() -> list[tuple[str, str, str | Path]]:
    """Name, variant and interpreter of each."""
    own = dict.fromkeys(case.values[2] for case in cases())
    python = frameworks.interpreter()
    both = [(name, variant) for variant in ("broken", "fixed") for name in own]
    return [
        *((str(name), variant, sys.executable) for name, variant in both),
        *((name, variant, python) for variant in ("broken", "fixed") for name in frameworks.FOUND),
        *(("healthy", name, sys.executable) for name in HEALTHY),
    ]


def main(file: Path, times: int) -> None:
    counts = json.loads(file.read_text()) if file.exists() else {}
    os.nice(10)
    with Supervision() as supervision, tempfile.TemporaryDirectory() as directory:
        url = embedded.start(supervision).sqlalchemy_url("victim")
        supervision.start([sys.executable, "-c", load.BUSY])

        def once(program: tuple[str, str, str | Path], number: int) -> tuple[str, list[str]]:
            name, variant, python = program
            outside: dict[str, list[dict[str, str]]] = {"findings": []}
            # A program that ends by itself cannot be looked at.
            with victim(name, variant, url, python) as pid, contextlib.suppress(AssertionError):
                _, outside = doctor(pid, "--watch", "2", "--url", url)
            report = Path(directory) / f"{name}-{variant}-{number}.json"
            inside = observed(name, variant, url, report, python=python)
            return f"{name} {variant}", [
                f"{way} {finding['hazard']} {finding['certainty']}"
                for way, content in (("pid", outside), ("command", inside))
                for finding in content["findings"]
            ]

        with ThreadPoolExecutor(TOGETHER) as executor:
            for number in range(times):
                due = [p for p in programs() if counts.get(f"{p[0]} {p[1]}", {}).get("runs", 0) <= number]
                for name, found in executor.map(lambda each, number=number: once(each, number), due):
                    counts[name] = dict(
                        Counter(counts.get(name, {})) + Counter({"runs": 1, **Counter(set(found))})
                    )
                    files.write(file, json.dumps(counts, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    except (subprocess.SubprocessError, OSError) as error:
        sys.exit(str(error))
