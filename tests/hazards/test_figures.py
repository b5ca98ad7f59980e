"""The figures of hazards have the size that their descriptions predict."""

import importlib.util
import math
from dataclasses import asdict

import pytest

from benchmarks.hazards import Memory, Rates, Verdicts
from harness.hazards import catalogue
from harness.hazards.all.copied_frame import BYTES
from harness.hazards.all.orphaned_backend import OBSERVED
from harness.hazards.hazard import Outcome
from harness.hazards.inside.story import HazardReading
from harness.hazards.runner import Trials


@pytest.fixture(scope="module")
def copied(trials: Trials) -> Outcome:
    return trials.run(catalogue.load("copied_frame"), "fork_dispose")


def grown(outcome: Outcome, figure: str) -> float:
    return outcome.readings[figure].value / BYTES


def test_reading_numbers_copies_almost_nothing(copied: Outcome) -> None:
    assert grown(copied, "int64_read") < 0.25


def test_reading_objects_copies_them_and_freezing_is_no_cure(copied: Outcome) -> None:
    for figure in ("text_read", "text_read_frozen", "lists_read", "lists_read_frozen"):
        assert grown(copied, figure) > 0.5


def test_collecting_copies_lists_unless_they_are_frozen(copied: Outcome) -> None:
    assert grown(copied, "lists_collect") - grown(copied, "base_collect") > 0.25
    assert grown(copied, "lists_collect_frozen") < 0.1


def test_writing_numbers_copies_them(copied: Outcome) -> None:
    assert grown(copied, "int64_write") > 0.75


@pytest.mark.skipif(not importlib.util.find_spec("pyarrow"), reason="pyarrow is not installed")
def test_reading_arrow_strings_copies_little(copied: Outcome) -> None:
    assert grown(copied, "arrow_read") < 0.25


def readings_of(trials: Trials, hazard: str, *figures: str, above: float = 0.0) -> list[HazardReading]:
    """Figures of fork_nodispose, of the first of several trials in which all are above a limit.

    A rate is luck, and a busy machine changes it; that it is small in all of them is next to impossible.
    """
    for _ in range(5):
        readings = trials.run(catalogue.load(hazard), "fork_nodispose").readings
        if all(readings[figure].value > above for figure in figures):
            return [readings[figure] for figure in figures]
    pytest.fail(f"{readings}")


def test_workers_inherit_a_full_pool_from_a_busy_parent(trials: Trials) -> None:
    hazard = catalogue.load("exhausted_pool")
    (inherited,) = readings_of(trials, hazard.id, "timed_out", above=0.5)
    assert inherited.trials == 20
    assert trials.run(hazard, "fork_dispose").readings["timed_out"].value == 0


def test_every_pair_is_counted(trials: Trials) -> None:
    readings = readings_of(trials, "interleaved", "errors", "wrong_rows")
    assert {reading.trials for reading in readings} == {6}


def test_workers_hang_at_the_pool_while_threads_of_the_parent_use_it(trials: Trials) -> None:
    hazard = catalogue.load("pool_lock")
    (rate,) = readings_of(trials, hazard.id, "hung_no_reset")
    assert rate.trials == 20
    assert trials.run(hazard, "fork_dispose").readings["hung_no_reset"].value == 0


def test_sessions_outlive_a_killed_parent_as_long_as_a_worker_holds_their_sockets(trials: Trials) -> None:
    hazard = catalogue.load("orphaned_backend")
    held, free = trials.run(hazard, "fork_dispose").readings, trials.run(hazard, "spawn").readings
    assert (held["descriptors"].value, free["descriptors"].value) == (3, 0)
    assert held["outlived"].value >= OBSERVED
    assert free["outlived"].value == 0


def test_a_spawned_worker_builds_a_frame_at_module_level_again(trials: Trials) -> None:
    hazard = catalogue.load("module_frame")
    spawned, forked = trials.run(hazard, "spawn").readings, trials.run(hazard, "fork_dispose").readings
    frame = 2_000_000 * 8
    assert spawned["private"].value > forked["private"].value + frame
    assert spawned["start"].value > forked["start"].value


def test_benchmarks_return_the_verdicts_and_figures_of_the_trials(trials: Trials, copied: Outcome) -> None:
    tried = [
        trials.run(catalogue.load("unpicklable"), "spawn"),
        trials.run(catalogue.load("unpicklable"), "nullpool"),
        trials.run(catalogue.load("copied_frame"), "spawn"),
        trials.run(catalogue.load("pool_lock"), "fork_dispose"),
        copied,
    ]
    run: dict[str, dict[str, object]] = {}
    for outcome in tried:
        run.setdefault(outcome.hazard, {})[outcome.strategy] = asdict(outcome)
    assert Verdicts().track_verdict(run, "unpicklable", "spawn") == 1
    assert Verdicts().track_verdict(run, "unpicklable", "nullpool") == 0
    assert math.isnan(Verdicts().track_verdict(run, "unpicklable", "fork_dispose"))  # not tried
    assert Memory().track_private(run, "int64_read", "fork_dispose") > 0
    assert Rates().track_rate(run, "hung", "fork_dispose") == 0
    assert math.isnan(Memory().track_private(run, "int64_read", "spawn"))  # not applicable
