"""Change points in the terminal: first a line for each release, which names the releases of all tables."""

import re

import pytest

from harness.history import detect, report
from harness.history.change_point import ChangePoint, ChangePoints
from harness.history.series import SeriesKey


def step(release: str, metric: str, unit: str, ratio: float, reason: str = "") -> ChangePoint:
    key = SeriesKey("a machine", "an environment", f"x.X.track_{metric}", ("spawn", "none"))
    return ChangePoint(
        key, unit, "1.4.54", release, 1.0, ratio, ratio, ratio - 0.01, ratio + 0.01, 0.0, reason
    )


FOUND = ChangePoints(
    (
        step("2.0.0", "startup", "seconds", 1.2),
        step("2.0.0", "engine", "seconds", 1.1),
        step("2.0.0", "modules", "modules", 1.05),
        step("2.0.1", "uss", "bytes", 0.9),
        step("2.0.2", "uss", "bytes", 1.5, reason="noise"),
    ),
    (),
)


def printed(capsys: pytest.CaptureFixture[str], form: str = "table", *, candidates: bool = False) -> str:
    report.write(FOUND, detect.MIN_RELEASES, form, candidates=candidates)
    return capsys.readouterr().out


def test_it_begins_with_a_line_for_each_release(capsys: pytest.CaptureFixture[str]) -> None:
    summary = printed(capsys).partition("Real steps:")[0]
    lines = [line.split() for line in summary.splitlines() if re.match(r"\d", line)]
    assert lines == [["2.0.0", "+10.0%", "to", "+20.0%", "+5.0%"], ["2.0.1", "-10.0%"]]


def test_the_summary_and_the_list_of_figures_name_the_same_releases(
    capsys: pytest.CaptureFixture[str],
) -> None:
    summary, _, details = printed(capsys).partition("Real steps:")
    releases = [re.findall(r"^(\d+\.\S+)", part, re.MULTILINE) for part in (summary, details)]
    assert set(releases[0]) == set(releases[1]) == {"2.0.0", "2.0.1"}
    assert len(releases[0]) == 2


def test_csv_has_candidates_only_if_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "2.0.2" not in printed(capsys, "csv")
    assert ",2.0.2,1.4.54,uss,spawn,none,bytes," in printed(capsys, "csv", candidates=True)
    assert tuple(printed(capsys, "csv").splitlines()[0].split(",")) == report.COLUMNS
