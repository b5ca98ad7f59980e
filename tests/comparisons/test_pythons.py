"""Pythons compared with the reference: what is stored, and the table of docs/pythons.md."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.comparisons.judge import ComparisonRow
from harness.comparisons.pythons import record, report
from harness.records.provenance import Provenance

GCC = "(main, May  9 2026, 07:35:25) [GCC 12.2.0]"


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "PATH", tmp_path / "pythons.json")


def slower(metric: str, strategy: str, ratio: float) -> ComparisonRow:
    return ComparisonRow(
        metric=metric, strategy=strategy, dataframe="none", pairs=12, first=0.1, second=0.1 * ratio, p=0.0,
        ratio=ratio, low=ratio - 0.01, high=ratio + 0.01, verdict="slower", limit=0.03, detectable=0.05,
    )  # fmt: skip


def row(python: str, ratio: float) -> record.PythonRow:
    rows = (slower("startup", "spawn", ratio),)
    return record.PythonRow(
        f"{python} {GCC}", f"3.11.7 {GCC}", rows, Provenance(machine="a machine", date="2026-01-02")
    )


def test_without_a_record_there_is_no_table() -> None:
    assert report.render() is None


def test_each_python_keeps_the_row_measured_last() -> None:
    record.save("3.14", row("3.14.1", 1.2))
    record.save("3.12", row("3.12.1", 1.1))
    record.save("3.14", row("3.14.2", 1.3))
    assert list(record.load()) == ["3.12", "3.14"]
    assert record.load()["3.14"] == row("3.14.2", 1.3)


def test_the_table_has_ratios_with_intervals_and_names_the_builds() -> None:
    record.save("3.14", row("3.14.2", 1.3))
    text = report.render()
    assert text is not None
    assert "| spawn | 3.14 | 1.30 (1.29-1.31) |" in text
    assert "these are 3.11.7 (GCC 12.2.0); 3.14.2 (GCC 12.2.0)." in text


def test_pythons_that_were_measured_by_other_commands_say_so() -> None:
    for python in ("3.12", "3.14"):
        measured = row(f"{python}.2", 1.3)
        provenance = replace(measured.provenance, command=f"poolstart record pythons --only {python}")
        record.save(python, replace(measured, provenance=provenance))
    first, other = (report.render() or "").split("`3.14` was measured separately: ")
    assert first.endswith(", by `poolstart record pythons --only 3.12`. ")
    assert other.endswith(", by `poolstart record pythons --only 3.14`.\n")


def test_a_busy_machine_is_named() -> None:
    record.save("3.14", record.PythonRow(**{**vars(row("3.14.2", 1.3)), "busy": "tasks waited"}))
    assert "Python 3.14: tasks waited." in (report.render() or "")
