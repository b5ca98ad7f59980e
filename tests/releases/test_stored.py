"""What asv stores: the date and the machine of figures, and nothing in place of what failed."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

from harness.answer.figures import on_record
from harness.answer.figures.results import ReleaseResults
from harness.releases import stored
from tests.support.results import RESULTS
from tests.support.suite import Suite

CHECKOUT = Path(__file__).parents[2]

LATER = timedelta(days=2)

KEPT = {"machine.json", "conditions.jsonl"}


def test_counts_added_under_another_kernel_change_neither_date_nor_machine(tmp_path: Path) -> None:
    (path,) = RESULTS.glob("*/2.0.36-*embedded-18.4-tcp-trust.json")
    shutil.copytree(
        path.parent, tmp_path / path.parent.name, ignore=lambda _, names: set(names) - KEPT - {path.name}
    )
    copy = tmp_path / path.parent.name / path.name
    content = json.loads(copy.read_text())
    before = only_result(tmp_path)
    content["params"]["os"] = "Linux of tomorrow"
    started = content["result_columns"].index("started_at")
    for name, columns in content["results"].items():
        if name.startswith("exact."):
            columns[started] += LATER / timedelta(milliseconds=1)
    copy.write_text(json.dumps(content))
    after = only_result(tmp_path)
    assert max(stored.loaded(copy).started_at.values()) / 1000 > (before.date + LATER).timestamp()
    assert (after.date, after.machine) == (before.date, before.machine)


def only_result(directory: Path) -> ReleaseResults:
    (bed,) = on_record.load(directory).test_beds
    return bed.newest


def test_a_failure_replaces_nothing_and_what_was_measured_beside_it_is_kept(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    samples, sometimes = "few.Samples.track_patch_level", "few.Sometimes.track_value"
    assert suite.run_here("2.1.09", "Sometimes", FAILS="1").returncode == 2
    assert suite.results == [], "no file of nulls"
    assert suite.run_here("2.1.09", "Sometimes").returncode == 0
    (path,) = suite.results
    before = json.loads(path.read_text())["results"]
    failed = suite.run_here("2.1.09", "Sometimes|patch_level", FAILS="1")
    assert failed.returncode == 2
    assert "not now; wait" in failed.stdout
    after = json.loads(path.read_text())["results"]
    assert set(after) == {samples, sometimes}
    assert after[sometimes] == before[sometimes]
