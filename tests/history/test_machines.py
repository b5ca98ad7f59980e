"""One change by pairs on two machines, by a history and by instructions."""

from dataclasses import replace
from math import log
from pathlib import Path

import pytest

from harness.history import reference, series
from harness.history.changes import Changes
from harness.history.paired import PairedChange
from harness.history.reference import RatioRow
from harness.history.sensitivity import machines
from harness.history.sensitivity.machines import MeasuredRatio, RatioEvidence
from harness.history.series import Series, SeriesKey
from harness.instructions.count import PHASES, Build
from harness.instructions.table import InstructionsRow, InstructionsTable
from harness.records.provenance import Provenance

METRIC = "time_to_first_row"


def pairs(ratio: float, machine: str) -> RatioRow:
    logs = {METRIC: [log(ratio) + 0.001 * step for step in range(-5, 6)]}
    return RatioRow("2.1.0", "spawn", {}, {METRIC: 0.2}, logs, Provenance(machine=machine, date="2026-12-01"))


def counted(release: str, start: int) -> InstructionsRow:
    phases = dict.fromkeys(PHASES, 100) | {"start": start}
    return InstructionsRow(release, phases, dict.fromkeys(PHASES, 0), True)


def change(before: str, release: str, ratio: float) -> PairedChange:
    return PairedChange(before, release, METRIC, "spawn", "none", ratio, ratio, ratio, 0, 8, 0.01, "amd")


# Twice as slow until 2.0.44, which is no part of the level before 2.1.0.
HISTORY = Series(
    SeriesKey("amd", "e", f"startup.Startup.track_{METRIC}", ("spawn", "none")),
    "seconds",
    {f"2.0.{number}": 0.4 for number in range(40, 44)}
    | {f"2.0.{number}": 0.2 + 0.001 * (number % 3) for number in range(44, 59)}
    | {f"2.1.{number}": 0.22 + 0.001 * (number % 3) for number in range(10)},
)

EVIDENCE = RatioEvidence(
    [pairs(1.05, "intel"), pairs(1.06, "arm")],
    [change("2.0.58", "2.1.0", 1.04), change("2.0.43", "2.0.44", 0.5)],
    [HISTORY],
    InstructionsTable(Build("1", "", "", "", "", "", ""), (counted("2.0.58", 800), counted("2.1.0", 860))),
    Changes((change("2.0.43", "2.0.44", 0.5), change("2.0.58", "2.1.0", 1.05)), (), 0, ()),
)


def test_a_ratio_of_each_instrument_and_machine() -> None:
    found = {each.by: each.ratio for each in EVIDENCE.of("2.1.0", METRIC, "spawn")}
    assert found == {
        "pairs, intel": pytest.approx(1.05),
        "pairs, arm": pytest.approx(1.06),
        "earlier pairs, amd": 1.04,
        "history, amd": pytest.approx(0.2209 / 0.2010, abs=1e-3),
        # Until the first row: 1000 and 1060.
        "instructions": 1.06,
    }


def test_pairs_of_scattered_parents_come_first_and_others_say_so() -> None:
    earlier = replace(pairs(1.05, "intel"), provenance=Provenance(machine="intel", date="2026-11-29"))
    evidence = replace(EVIDENCE, ratios=[earlier, pairs(1.06, "arm")])
    first, second, *_ = (each.by for each in evidence.of("2.1.0", METRIC, "spawn"))
    assert (first, second) == ("pairs, arm", "pairs, intel, not scattered")


def test_instructions_are_those_of_spawned_workers_only() -> None:
    assert list(EVIDENCE.of("2.1.0", METRIC, "fork_dispose")) == []
    assert list(EVIDENCE.of("2.1.0", "uss", "spawn")) == []


RATIOS = [
    MeasuredRatio("pairs, a", 1.05, 1.04, 1.06),
    MeasuredRatio("history, b", 1.10, 1.02, 1.18),
    MeasuredRatio("instructions", 1.056, 1.056, 1.056),
]


def test_the_text_counts_what_agrees_and_names_all_that_does_not() -> None:
    text = machines.text("2.1.0", [("first row", "spawn", RATIOS)])
    assert (
        "| first row | `spawn` | +5.0 % (+4.0 to +6.0) | +10.0 % (+2.0 to +18.0) | +5.6 % | 4.8 % |" in text
    )
    assert "1 of 2 ratios differ from those of the pairs by 2 % or less." in text
    assert "The others are first row of `spawn` by history, b: +10.0 % (+2.0 to +18.0), 4.8 % off." in text
    assert "1 of these intervals contains the ratio of the pairs" in text


def test_the_text_says_that_one_machine_alone_has_pairs() -> None:
    alone = "Pairs with the reference are on record for a alone"
    assert alone in machines.text("2.1.0", [("first row", "spawn", RATIOS)])
    both = [*RATIOS, MeasuredRatio("pairs, b", 1.05, 1.04, 1.06)]
    assert alone not in machines.text("2.1.0", [("first row", "spawn", both)])


def test_without_pairs_there_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "load", lambda _: [HISTORY])
    monkeypatch.setattr(reference, "load", lambda: [])
    assert machines.section(tmp_path) is None
