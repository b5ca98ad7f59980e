"""Change points are distinguished from noise, on simulated histories of 88 releases."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from harness.history import detect
from harness.history.fit import MIN_SEGMENT
from harness.history.retest import Retest
from harness.history.series import Series, SeriesKey
from harness.lifecycles.metrics import CONTROL_BENCHMARK
from harness.records.provenance import Provenance

RELEASES = tuple(f"2.0.{patch}" for patch in range(88))
STRATEGIES = ("fork_nodispose", "fork_dispose", "nullpool", "forkserver", "forkserver_preload", "spawn")
BENCHMARKS = {
    "startup.Startup.track_startup": ("seconds", 0.15),
    "query.Query.track_first_query": ("seconds", 0.03),
    "memory.Memory.track_uss": ("bytes", 3e7),
}
NOISE = {"seconds": 0.012, "bytes": 0.002}
"""The relative standard deviation of a sample on a noisy machine."""


def history(seed, *, passes=5, bad=0.03, drift=0.0, releases=RELEASES):
    """All series of a history without change points: heavy tails, bad releases, a common drift."""
    random = np.random.default_rng(seed)
    common = drift * np.linspace(0, 1, len(releases))[:, None] + 0.004 * random.standard_t(
        4, (len(releases), passes)
    )
    made = []

    def series(benchmark, parameters, unit, level, common):
        noise = NOISE[unit]
        values = noise * random.standard_t(3, (len(releases), passes)) + common
        values += (random.random(len(releases)) < bad)[:, None] * random.normal(0, 30 * noise)
        samples = tuple(tuple(row) for row in level * np.exp(values))
        made.append(Series(SeriesKey("m", "e", benchmark, parameters), unit, releases, samples))

    for method in ("fork", "forkserver", "spawn"):
        series(CONTROL_BENCHMARK, (method,), "seconds", 0.01, common)
    for benchmark, (unit, level) in BENCHMARKS.items():
        for strategy in STRATEGIES:
            for dataframe in ("none", "large"):
                series(benchmark, (strategy, dataframe), unit, level, common if unit == "seconds" else 0)
    return made


def with_step(history, benchmark, strategies, at, factor):
    """The same history, with one metric multiplied by a factor from a release on."""
    return [
        replace(
            one,
            samples=tuple(
                tuple(value * factor for value in values) if number >= at else values
                for number, values in enumerate(one.samples)
            ),
        )
        if one.key.benchmark == benchmark and one.key.parameters[0] in strategies
        else one
        for one in history
    ]


def named(change_points):
    return {(step.release, step.key.metric, step.key.parameters[0]) for step in change_points.steps}


@pytest.mark.parametrize("drift", [0.0, 0.03])
def test_twenty_histories_without_change_points_have_none(drift):
    assert [detect.change_points(history(seed, drift=drift)).steps for seed in range(20)] == [[]] * 20


@pytest.mark.parametrize(
    ("benchmark", "strategies", "factor"),
    [
        ("startup.Startup.track_startup", {"spawn"}, 1.05),
        ("query.Query.track_first_query", {"fork_dispose"}, 1.04),
        ("query.Query.track_first_query", {"spawn"}, 0.97),
        ("memory.Memory.track_uss", {"spawn", "forkserver"}, 1.01),
    ],
)
def test_a_step_is_found_at_its_release_and_nowhere_else(benchmark, strategies, factor):
    metric = benchmark.rpartition("track_")[2]
    found, exact, covered = 0, 0, 0
    for seed in range(10):
        seen = detect.change_points(with_step(history(seed), benchmark, strategies, 40, factor)).steps
        assert {(step.key.metric, step.key.parameters) for step in seen} == {
            (metric, (strategy, dataframe)) for strategy in strategies for dataframe in ("none", "large")
        }
        assert len(seen) == 2 * len(strategies)
        found += len(seen)
        covered += sum(step.low <= factor <= step.high for step in seen)
        # If the release itself is a bad one, it cannot be distinguished from its neighbour.
        exact += sum(step.release == "2.0.40" for step in seen)
    assert exact >= 0.9 * found
    assert covered >= 0.9 * found  # of 99 %: seldom one in twenty is missed


def test_a_small_step_shortly_before_a_large_one_does_not_displace_it():
    uss = "memory.Memory.track_uss"
    placed = []
    for seed in range(5):
        made = with_step(history(seed, bad=0), uss, {"spawn"}, 37, 0.992)
        seen = detect.change_points(with_step(made, uss, {"spawn"}, 40, 1.026)).steps
        placed += [step.release for step in seen if step.worse]
    assert placed == ["2.0.40"] * 10


def test_one_bad_release_is_no_step():
    made = [
        replace(one, samples=(*one.samples[:50], tuple(2 * x for x in one.samples[50]), *one.samples[51:]))
        for one in history(1)
    ]
    assert detect.change_points(made).steps == []


def test_the_newest_release_alone_is_a_candidate():
    seen = detect.change_points(with_step(history(2), "query.Query.track_first_query", {"spawn"}, 87, 1.3))
    assert seen.steps == []
    assert {(step.release, step.key.parameters[0]) for step in seen.candidates} >= {("2.0.87", "spawn")}
    assert "end of the axis" in next(s for s in seen.candidates if s.release == "2.0.87").reason


def test_a_step_of_the_machine_is_not_one_of_the_release():
    made = history(3)
    made = with_step(made, CONTROL_BENCHMARK, {"spawn"}, 40, 1.1)
    for benchmark, (unit, _) in BENCHMARKS.items():
        if unit == "seconds":
            made = with_step(made, benchmark, {"spawn"}, 40, 1.1)
    assert detect.change_points(made).steps == []


def test_a_step_is_doubted_if_a_strategy_with_the_same_code_has_none():
    startup = "startup.Startup.track_startup"
    seen = detect.change_points(with_step(history(4), startup, {"fork_dispose"}, 40, 1.2))
    assert seen.steps == []
    assert any("runs the same code" in step.reason for step in seen.candidates)
    together = {"fork_nodispose", "fork_dispose", "nullpool"}
    assert named(detect.change_points(with_step(history(4), startup, together, 40, 1.2))) == {
        ("2.0.40", "startup", strategy) for strategy in together
    }


def test_a_count_has_a_step_at_each_change():
    key = SeriesKey("m", "e", "counts.Counts.track_statements", ("spawn", "none"))
    counts = (12.0,) * 40 + (13.0,) * 1 + (12.0,) * 47
    made = Series(key, "statements", RELEASES, tuple((count, count) for count in counts))
    assert [(s.release, s.before, s.after) for s in detect.change_points([made]).steps] == [
        ("2.0.40", 12, 13),
        ("2.0.41", 13, 12),
    ]


@pytest.mark.parametrize(
    ("unit", "before", "after", "step"),
    [
        ("calls", 1000.0, 1009.0, False),
        ("calls", 1000.0, 1011.0, True),
        ("calls", 1000.0, 989.0, True),
        ("statements", 12.0, 13.0, True),
        # The collector's count follows from what is allocated.
        ("collections", 9.0, 10.0, False),
        ("collections", 9.0, 14.0, True),
    ],
)
def test_a_minor_change_of_a_count_is_no_step(unit, before, after, step):
    key = SeriesKey("m", "e", "counts.Counts.track", ("spawn", "none"))
    made = Series(key, unit, RELEASES, ((before,),) * 40 + ((after,),) * 48)
    seen = detect.change_points([made])
    assert (len(seen.steps), len(seen.minor)) == ((1, 0) if step else (0, 1))


def test_the_minimum_detectable_change_would_be_found():
    for minimum in detect.change_points(history(5)).minimum_detectable:
        if minimum.key.parameters == ("spawn", "none"):
            made = with_step(history(5), minimum.key.benchmark, {"spawn"}, 40, 1 + 2 * minimum.change)
            assert ("2.0.40", minimum.key.metric, "spawn") in named(detect.change_points(made))


def test_a_change_near_an_end_has_to_be_larger_to_be_found():
    for minimum in detect.change_points(history(5)).minimum_detectable:
        sizes = minimum.near_an_end
        assert list(sizes) == sorted(sizes, reverse=True)
        assert sizes[-1] == minimum.change
        if minimum.key.parameters == ("spawn", "none"):
            at = len(RELEASES) - MIN_SEGMENT
            made = with_step(history(5), minimum.key.benchmark, {"spawn"}, at, 1 + 2 * sizes[0])
            assert (RELEASES[at], minimum.key.metric, "spawn") in named(detect.change_points(made))


@pytest.mark.parametrize(("mib", "found"), [(3, 0), (30, 2)])
def test_a_change_of_a_few_pages_is_no_step(mib, found):
    uss = "memory.Memory.track_uss"
    made = []
    for one in with_step(history(5, bad=0), uss, {"spawn"}, 40, 1.012):
        scale = mib * 2**20 / one.samples[0][0] if one.key.benchmark == uss else 1
        made.append(
            replace(one, samples=tuple(tuple(scale * value for value in some) for some in one.samples))
        )
    assert len(detect.change_points(made).steps) == found


def retest_of(step, low, middle, high, verdict):
    """A simulated retest of a step."""
    return Retest(
        **asdict(step.release_pair), before=step.before, after=step.before * middle, ratio=middle,
        low=low, high=high, verdict=verdict, pairs=10, provenance=Provenance(machine="m"),
    )  # fmt: skip


def retested(made, benchmark, *told):
    """The change point of one metric of a spawned worker, before and after a retest."""
    metric = benchmark.rpartition("track_")[2]

    def of(change_points):
        return next(
            step
            for step in change_points.found
            if (step.key.metric, step.key.parameters) == (metric, ("spawn", "none"))
        )

    before = of(detect.change_points(made))
    return before, of(detect.change_points(made, [retest_of(before, *told)]))


FIRST_QUERY = "query.Query.track_first_query"


def test_a_retest_refutes_a_step_that_is_gone():
    made = with_step(history(6), FIRST_QUERY, {"spawn"}, 40, 1.1)
    before, after = retested(made, FIRST_QUERY, 0.99, 1.0, 1.01, "same")
    assert before.real
    assert after.reason == "measured again in interleaved pairs, it is gone"


def test_a_retest_that_cannot_tell_does_not_refute_a_step():
    made = with_step(history(6), FIRST_QUERY, {"spawn"}, 40, 1.1)
    before, after = retested(made, FIRST_QUERY, 0.98, 1.04, 1.1, "cannot tell")
    assert before.real
    assert after.real
    assert after.retest.outcome == "undecided"


def test_a_retest_confirms_a_candidate_of_the_same_size():
    made = with_step(history(6), FIRST_QUERY, {"spawn"}, 87, 1.3)
    before, after = retested(made, FIRST_QUERY, 1.2, 1.3, 1.4, "slower")
    assert not before.real
    assert after.real
    assert str(after.retest).startswith("confirmed: +30.0%")
    assert not retested(made, FIRST_QUERY, 1.03, 1.05, 1.07, "slower")[1].real
    assert not retested(made, FIRST_QUERY, 0.6, 0.7, 0.8, "faster")[1].real


def test_a_retest_refutes_what_is_smaller_than_any_change_that_counts():
    uss = "memory.Memory.track_uss"
    made = with_step(history(6), uss, {"spawn"}, 40, 1.008)
    assert retested(made, uss, 1.003, 1.0042, 1.0048, "slower")[1].retest.outcome == "refuted"
    assert retested(made, uss, 1.003, 1.0045, 1.006, "same")[1].retest.outcome == "undecided"
    assert retested(made, uss, 1.005, 1.006, 1.007, "slower")[1].retest.outcome == "confirmed"


def test_a_retest_on_another_machine_decides_if_that_of_the_series_does_not():
    made = with_step(history(6), FIRST_QUERY, {"spawn"}, 40, 1.1)
    step = next(s for s in detect.change_points(made).steps if s.key.parameters == ("spawn", "none"))
    gone, there, unsure = (
        replace(retest_of(step, *told), provenance=Provenance(machine=machine))
        for *told, machine in [
            (0.99, 1.0, 1.01, "same", "another"),
            (1.08, 1.1, 1.12, "slower", "m"),
            (0.9, 1.1, 1.3, "cannot tell", "m"),
        ]
    )

    def settled(*told):
        return next(s for s in detect.change_points(made, told).found if s.release_pair == step.release_pair)

    assert settled(gone).reason == "measured again in interleaved pairs, on another, it is gone"
    assert str(settled(unsure, gone).retest) == "refuted: +0.0% (-1.0% to +1.0%), on another"
    for retests in ((gone, there), (there, gone)):
        assert str(settled(*retests).retest) == "confirmed: +10.0% (+8.0% to +12.0%)"
    assert settled(gone, there).real


def test_startup_of_a_spawned_worker_need_not_agree_with_forked_ones():
    startup = "startup.Startup.track_startup"
    seen = detect.change_points(with_step(history(7), startup, {"spawn"}, 40, 1.16))
    assert named(seen) == {("2.0.40", "startup", "spawn")}
