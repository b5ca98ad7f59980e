"""The date and the machine of stored figures, if counts are added to the file later."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

from harness.releases import stored

CHECKOUT = Path(__file__).parents[2]

LATER = timedelta(days=2)

KEPT = {"machine.json", "conditions.jsonl"}


def test_counts_added_under_another_kernel_change_neither_date_nor_machine(tmp_path: Path) -> None:
    (path,) = (CHECKOUT / "results").glob("*/2.0.36-*embedded-18.4-tcp-trust.json")
    shutil.copytree(
        path.parent, tmp_path / path.parent.name, ignore=lambda _, names: set(names) - KEPT - {path.name}
    )
    copy = tmp_path / path.parent.name / path.name
    content = json.loads(copy.read_text())
    before = stored.loaded(copy)
    when, machine = stored.measured(before), stored.hardware(before, tmp_path)
    assert when
    content["params"]["os"] = "Linux of tomorrow"
    started = content["result_columns"].index("started_at")
    for name, columns in content["results"].items():
        if name.startswith("exact."):
            columns[started] += LATER / timedelta(milliseconds=1)
    copy.write_text(json.dumps(content))
    after = stored.loaded(copy)
    assert max(after.started_at.values()) / 1000 > when.timestamp() + LATER.total_seconds()
    assert (stored.measured(after), stored.hardware(after, tmp_path)) == (when, machine)
