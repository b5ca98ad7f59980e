"""How far figures are off on another day and another machine, from what is on record."""

import pytest

from harness.history.sensitivity import elsewhere
from harness.history.sensitivity.elsewhere import Differences, RecordedMedian
from harness.lifecycles import metrics
from harness.records.provenance import Provenance

HERE = ("amd-2c", "AMD EPYC", "2026-11-24")
FIGURE = ("2.1.9", "uss", "spawn", "none")


def recorded(value: float, machine: str, day: str) -> RecordedMedian:
    return RecordedMedian(FIGURE, value, Provenance(machine=machine, date=day))


def test_days_and_machines_are_told_apart_and_the_largest_difference_counts() -> None:
    found = elsewhere.differences(
        {FIGURE: 100.0},
        *HERE,
        [
            recorded(150, "amd-2c", "2026-11-24T10:00:00+00:00"),  # the same day
            recorded(90, "amd-2c", "2026-11-28"),
            recorded(105, "AMD EPYC, 2 cores, Linux 6", "2026-11-28"),
            recorded(130, "intel-2c", "2026-11-24"),
            RecordedMedian(("2.0.0", *FIGURE[1:]), 900, Provenance(machine="intel-2c")),
        ],
    )
    assert found == Differences({"uss": pytest.approx(0.1)}, {"uss": pytest.approx(0.3)})


def test_the_sentence_has_three_sizes_of_each_figure() -> None:
    text = Differences({"uss": 0.031}, {}).sentence([metrics.get("uss")])
    assert text.endswith("unique memory 3 %, 4 % and n/a.")
