"""The files of records/: written a row a line, and read with one line about what is wrong with them."""

import json
from pathlib import Path

import pytest

from harness.records import store
from harness.system.errors import PoolstartError


def test_every_record_is_written_as_the_store_writes_it() -> None:
    for file in store.DIRECTORY.glob("*.json"):
        text = file.read_text()
        assert text == store.dumps(json.loads(text)) + "\n", file


def test_each_row_of_a_list_and_each_field_of_a_long_object_is_one_line() -> None:
    content = {"date": "2026-11-25", "rows": [{"name": "spawn", "runs": [1, 2]}, {"name": "fork" * 40}]}
    assert store.dumps(content).splitlines() == [
        "{",
        ' "date": "2026-11-25",',
        ' "rows": [',
        '  {"name": "spawn", "runs": [1, 2]},',
        f'  {{"name": "{"fork" * 40}"}}',
        " ]",
        "}",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "Expecting"), ("{}", "it lacks 'rows'"), ("[]", "list indices"), (None, "No such file")],
)
def test_what_is_wrong_with_a_record_is_one_line_with_its_remedy(
    tmp_path: Path, text: str | None, reason: str
) -> None:
    file = tmp_path / "pools.json"
    if text is not None:
        file.write_text(text)
    with (
        pytest.raises(
            PoolstartError, match=f"pools.json cannot be read: {reason}.*; restore it with git, or"
        ),
        store.reading(file, "poolstart record fleets") as content,
    ):
        content["rows"]


def test_a_record_is_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "causes.json"
    store.write(file, [])
    store.write(file, [{"before": "2.0.0"}])
    with pytest.raises(PoolstartError, match=r"nothing was measured, so .*causes.json is kept"):
        store.write(file, [])
    assert json.loads(file.read_text()) == [{"before": "2.0.0"}]
