"""asv with the real asv.conf.json, run as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from asv.util import load_json
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from tests.support.suite import Suite

PATCH_LEVEL = "few.Samples.track_patch_level"


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """A suite whose environment is shared by several tests; two releases are measured in tests/hazards."""
    return Suite(tmp_path_factory.mktemp("suite"))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    """A suite with results of two releases, measured in the tests' own environment."""
    made = Suite(tmp_path_factory.mktemp("measured"))
    for release in ("2.0.36", "2.1.9"):
        done = made.run_here(release, "patch_level")
        assert done.returncode == 0, done.stdout
        assert "I will now ask you" not in done.stdout
    return made


def series(suite: Suite, benchmark: str) -> dict[str, dict[str, Any]]:
    """The stored columns of a benchmark, by hash."""
    columns_by_hash = {}
    for path in suite.results:
        stored = json.loads(path.read_text())
        columns = zip(stored["result_columns"], stored["results"][benchmark], strict=False)
        columns_by_hash[stored["commit_hash"]] = dict(columns)
    return columns_by_hash


def test_samples_of_a_track_benchmark_are_stored_with_their_statistics(measured: Suite) -> None:
    """asv does not document this, and all results depend on it."""
    stored = series(measured, PATCH_LEVEL)["2.1.09"]
    assert stored["result"] == [pytest.approx(9.07)] * 2
    assert stored["stats_ci_99_a"][0] < 9.07 < stored["stats_ci_99_b"][0]
    assert stored["stats_q_25"] == [pytest.approx(9.035)] * 2
    assert stored["stats_q_75"] == [pytest.approx(9.105)] * 2
    assert stored["stats_number"] == [1, 1]
    assert stored["stats_repeat"] == [15, 15]
    # asv drops them unless it is made to record them.
    assert [len(samples) for samples in stored["samples"]] == [15, 15]
    assert stored["samples"][0][:2] == [9.0, 9.01]


def test_the_first_run_on_a_machine_stores_data_about_it_without_asking(measured: Suite) -> None:
    (name,) = load_json(str(measured.home / ".asv-machine.json"), 1)
    assert (measured.directory / "results" / name / "machine.json").exists()


def test_compare_and_show_name_releases(measured: Suite) -> None:
    compared = measured.asv("compare", "2.0.36", "2.1.9").stdout
    assert "Before [2.0.36]" in compared
    assert "After [2.1.09] <2.1.9>" in compared
    shown = measured.asv("show", "v2.1.9").stdout
    assert "<2.1.9>" in shown
    assert PATCH_LEVEL in shown


def test_the_site_orders_releases_by_version(measured: Suite) -> None:
    published = measured.asv("publish")
    assert published.returncode == 0, published.stdout
    site = measured.directory / ".asv" / "html" / "asv"
    index = json.loads((site / "index.json").read_text())
    revisions = {hash_: int(number) for number, hash_ in index["revision_to_hash"].items()}
    assert revisions["2.0.36"] < revisions["2.0.58"] < revisions["2.1.09"]
    assert "[a-z0-9.]+" in (site / "graphdisplay.js").read_text()


def test_an_unwritable_home_is_one_line(suite: Suite) -> None:
    done = suite.asv("run", HOME=str(suite.directory / "asv.conf.json"))
    (line,) = done.stdout.splitlines()
    assert "no data about this machine can be stored" in line
    assert done.returncode == 1


def test_an_unwritable_results_directory_is_one_line(suite: Suite) -> None:
    (suite.directory / "results").write_text("a file where a directory should be")
    done = suite.run_here("2.1.9", "patch_level")
    (line,) = done.stdout.splitlines()
    assert "results" in line
    assert "cannot be written: File exists; check that its directory" in line
    assert done.returncode == 1


@pytest.mark.slow
def test_the_environment_has_the_pinned_packages_and_the_interpreter_of_asv(shared: Suite) -> None:
    assert shared.asv("run", "2.1.9^!", "-b", "patch_level").returncode == 0
    python = shared.directory / ".asv" / "releases" / "2.1.9" / "bin" / "python"
    listed = subprocess.run(
        [find_uv_bin(), "pip", "list", "--format=json", "--python", python], capture_output=True, check=True
    )
    versions = {
        canonicalize_name(package["name"]): package["version"] for package in json.loads(listed.stdout)
    }
    assert versions["asv-runner"] == "0.3.2"
    assert versions["sqlalchemy"] == "2.1.9"
    assert not versions.keys() & {"hatchling", "build", "greenlet"}
    version = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
    assert version.stdout.strip() == sys.version


@pytest.mark.slow
def test_the_reason_for_a_failure_is_printed_at_once_and_at_the_end(shared: Suite) -> None:
    done = shared.asv("run", "-b", "Failing|patch_level")
    assert done.stdout.count("the moon is full; wait") == 2
    assert done.stdout.splitlines()[-1] == "poolstart: failed: the moon is full; wait"
    assert "asv and the rest" in done.stdout.splitlines()[-2]
    assert done.stdout.count("n/a: not under a full moon") == 1
