"""The page shows the figures of the fleets, and the record is read as it was written."""

from pathlib import Path

from harness.fleets import figures, report
from tests.support.fleets import TABLE


def test_the_page_has_every_size_with_and_without_a_dataframe() -> None:
    page = report.render(TABLE)
    assert "| strategy | 1 worker | 4 workers | 16 workers |" in page
    assert page.count("| fork_dispose | 120 | 180 | 420 |") == 2  # time, and processor time
    assert "with a DataFrame of 512 MiB in the parent" in page
    assert "after each worker has read the texts" not in page.split("##", 1)[1]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    figures.save(TABLE, tmp_path / "fleets.json")
    assert figures.load(tmp_path / "fleets.json") == TABLE
    assert figures.load(tmp_path / "none.json") is None
