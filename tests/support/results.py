"""The committed results, read and copied without any code of the harness."""

import json
import shutil
from pathlib import Path

from harness.system.environment import ROOT

RESULTS = ROOT / "results"
(MACHINE,) = (path.parent for path in RESULTS.glob("*/machine.json"))
SERVER = "embedded-18.4-tcp-trust"


def stored(release: str) -> dict[str, object]:
    """The results of a release on the embedded server, as asv wrote them."""
    (path,) = RESULTS.glob(f"*/{release}-*embedded*.json")
    found: dict[str, object] = json.loads(path.read_text())["results"]
    return found


def median_of(release: str, benchmark: str, strategy: str, dataframe: str) -> float:
    values, params, *_ = stored(release)[benchmark]  # type: ignore[misc]
    place = params[0].index(f"'{strategy}'") * len(params[1]) + params[1].index(f"'{dataframe}'")
    return float(values[place])


def few(results: Path, count: int = 3) -> list[Path]:
    """Copy the results of `count` releases to a new directory; return the copied files."""
    machine = results / MACHINE.name
    machine.mkdir(parents=True)
    shutil.copy(RESULTS / "benchmarks.json", results)
    for path in (MACHINE / "machine.json", *sorted(MACHINE.glob(f"2.1.0*{SERVER}.json"))[:count]):
        shutil.copy(path, machine)
    return sorted(machine.glob("2.1.0*"))
