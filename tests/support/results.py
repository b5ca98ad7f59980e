"""Results of all releases on one machine, read and copied without code of the harness, but for the answer.

They are the tests' own, `results.tar.xz`: those of the checkout change with every `asv run`.
"""

import atexit
import json
import shutil
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from harness.answer.figures import answers
from harness.answer.figures.results import ReleaseResults
from harness.system.environment import ROOT


def extracted() -> Path:
    """The directory of the results, which is removed when this process ends."""
    directory = tempfile.mkdtemp(prefix="results-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    with tarfile.open(Path(__file__).with_name("results.tar.xz")) as archive:
        archive.extractall(directory, filter="data")
    return Path(directory, "results")


RESULTS = extracted()
(MACHINE,) = (path.parent for path in RESULTS.glob("*/machine.json"))
SERVER = "embedded-18.4-tcp-trust"


def committed(directory: Path) -> Path:
    """The results of the checkout as they are committed, for tests that are about these."""
    archive = subprocess.run(["git", "archive", "HEAD", "results"], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "--extract", "--directory", directory], input=archive.stdout, check=True)
    return directory / "results"


def stored(release: str) -> dict[str, object]:
    """The results of a release on the embedded server, as asv wrote them."""
    (path,) = RESULTS.glob(f"*/{release}-*embedded*.json")
    found: dict[str, object] = json.loads(path.read_text())["results"]
    return found


def median_of(release: str, benchmark: str, strategy: str, dataframe: str) -> float:
    values, params, *_ = stored(release)[benchmark]  # type: ignore[misc]
    place = params[0].index(f"'{strategy}'") * len(params[1]) + params[1].index(f"'{dataframe}'")
    return float(values[place])


@cache
def answer() -> ReleaseResults:
    """What README.md would show of these results; its figures are tested by themselves."""
    return answers.default(RESULTS, MACHINE.name)


def mean_of(metric: str, strategy: str, dataframe: str = "none") -> float:
    """A figure of the answer, in seconds or bytes."""
    return answer().levels[metric, strategy, dataframe].mean


def another_series(path: Path, directory: Path, python: str, driver: str = "", factor: float = 1) -> None:
    """Copy a file of results into a machine's folder, as of a Python and driver, with multiplied figures."""
    content = json.loads(path.read_text().replace("py3.11", f"py{python}"))
    content["params"] |= {"machine": directory.name, "python": python}
    if driver:
        content["env_vars"]["driver"] = driver
        content["env_name"] += f"-driver{driver}"
    for row in content["results"].values():
        row[0] = [value and factor * value for value in row[0]]
    (directory / f"{content['commit_hash']}-{content['env_name']}.json").write_text(json.dumps(content))


def few(results: Path, count: int = 3) -> list[Path]:
    """Copy the results of `count` releases to a new directory; return the copied files."""
    machine = results / MACHINE.name
    machine.mkdir(parents=True)
    shutil.copy(RESULTS / "benchmarks.json", results)
    for path in (MACHINE / "machine.json", *sorted(MACHINE.glob(f"2.1.0*{SERVER}.json"))[:count]):
        shutil.copy(path, machine)
    return sorted(machine.glob("2.1.0*"))
