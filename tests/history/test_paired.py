"""Changes from pairs: what is certain, what is the collector's, and what replaces what."""

import random
from dataclasses import replace
from math import log

import pytest

from harness.history import changes, paired, reference
from harness.history.paired import PairedChange
from harness.history.reference import REFERENCE, RatioRow
from harness.history.series import Series, SeriesKey
from harness.records.provenance import Provenance

HERE, THERE = (Provenance(machine=machine, date="2026-12-01") for machine in ("here", "there"))

CHANGE = PairedChange(
    "2.0.43", "2.0.44", "cpu_first_row", "spawn", "none", 1.2, 1.19, 1.21, 1e-9, 99, 0.01, "here"
)


def logs(ratio: float, number: int = 20, scatter: float = 0.01, seed: int = 1) -> list[float]:
    rng = random.Random(f"{ratio} {seed}")
    return [rng.gauss(log(ratio), scatter) for _ in range(number)]


def row(
    release: str,
    ratio: float,
    *,
    metric: str = "cpu_first_row",
    size: float = 0.1,
    scatter: float = 0.01,
    provenance: Provenance = HERE,
) -> RatioRow:
    values = {metric: logs(ratio, scatter=scatter)}
    return RatioRow(release, "spawn", values, {metric: size}, values, provenance)


def test_a_change_is_the_difference_of_two_ratios_to_the_reference() -> None:
    before, after = row("2.0.43", 0.95), row("2.0.44", 1.0)
    (change, _) = paired.changes([before, after])
    assert (change.before, change.release) == ("2.0.43", "2.0.44")
    assert change.ratio == pytest.approx(1 / 0.95, rel=0.01)
    assert change.low < change.ratio < change.high
    assert change.certain


def test_a_metric_that_came_after_the_first_stage_is_compared_once_its_size_is_known() -> None:
    young = {"cpu_start": logs(1.0)}
    rows = [replace(row(release, 1.0), deciding=young) for release in ("2.1.8", "2.1.9")]
    assert not list(paired.changes(rows))
    measured = reference.PairedLogs(young, {"cpu_start": 0.01, "cpu_first_row": 9.0})
    rows = [reference.with_logs(rows, each.release, "spawn", measured, True, HERE) for each in rows]
    assert {change.metric for change in paired.changes(rows)} == {"cpu_start"}
    # The sizes of the first stage stay.
    assert rows[0].sizes == {"cpu_first_row": 0.1, "cpu_start": 0.01}


def test_the_reference_itself_needs_no_pairs() -> None:
    (before, after) = paired.changes([row("2.0.57", 1.0), row("2.1.0", 1.05)])
    assert (before.release, after.before) == (REFERENCE, REFERENCE)
    assert after.ratio == pytest.approx(1.05, rel=0.01)
    assert (before.certain, after.certain) == (False, True)


def test_rows_of_two_machines_are_never_subtracted() -> None:
    rows = [row("2.1.8", 1.05, provenance=HERE), row("2.1.9", 1.10, provenance=THERE)]
    assert {(each.before, each.release) for each in paired.changes(rows)} == {
        (REFERENCE, "2.1.8"), (REFERENCE, "2.1.9"),
    }  # fmt: skip


def test_a_change_of_memory_counts_only_if_its_whole_interval_does() -> None:
    small = {"metric": "uss", "size": 30e6, "scatter": 0.002}
    (change,) = paired.changes([row("2.1.0", 1.0055, **small)])
    assert change.p < paired.MAX_P
    assert not change.certain
    (change,) = paired.changes([row("2.1.0", 1.0085, **small)])
    assert change.certain


def test_direct_pairs_replace_the_difference_of_two_ratios() -> None:
    differing = [row("2.1.8", 1.0), row("2.1.9", 1.1)]
    direct = replace(
        row("2.1.9", 1.04), screening={}, deciding={"cpu_first_row": logs(1.04, 80)}, before="2.1.8"
    )
    known = changes.of([], [], [*differing, direct])
    (change,) = (each for each in known.paired if each.release == "2.1.9")
    assert (change.before, change.pairs) == ("2.1.8", 80)
    assert change.ratio == pytest.approx(1.04, rel=0.01)
    # Whatever was paired with another release than the reference has no ratio to it.
    assert reference.rows_of([direct], "2.1.9", "here") == {}
    assert reference.versions([direct]) == [REFERENCE]


def test_one_of_many_figures_has_to_be_more_certain_than_those_beside_it() -> None:
    def found(*ps: float) -> list[float]:
        changed = [replace(CHANGE, strategy=f"{at}", p=p) for at, p in enumerate(ps)]
        return [change.p for change in paired.reported(changed)]

    assert found(3e-5) == [3e-5]
    assert found(*[0.5] * 49, 5e-5) == []
    assert found(*[0.5] * 48, 5e-5, 7e-7) == [5e-5, 7e-7]


def of_two_sessions(release: str, first: float, second: float) -> RatioRow:
    """A row whose two stages, each of 20 pairs, have ratios of their own to the reference."""
    found = row(release, first)
    return replace(found, deciding=row(release, second).screening)


def test_a_session_that_shifts_all_of_its_pairs_is_no_change_of_a_release() -> None:
    releases = [f"2.0.{patch}" for patch in range(10)]
    steady = [of_two_sessions(release, 1.0, 1.0) for release in releases]
    shifted = [of_two_sessions(release, 1.0, 1.0 + 0.01 * (-1) ** at) for at, release in enumerate(releases)]
    changed = of_two_sessions("2.0.10", 1.03, 1.03)
    assert paired.of_sessions(steady)["cpu_first_row", True].variance == 0
    found = paired.of_sessions(shifted)["cpu_first_row", True]
    assert found.variance == pytest.approx(0.01**2 / 2, rel=0.3)
    assert 0 < found.uncertainty < found.variance
    # Twenty pairs of one session and twenty of another differ by 2 %, and prove nothing.
    assert not [change for change in paired.changes(shifted) if change.certain]
    (change,) = (each for each in paired.changes([*steady, changed]) if each.certain and each.ratio > 1)
    assert (change.before, change.release) == ("2.0.9", "2.0.10")


def test_more_sessions_of_as_many_pairs_are_surer() -> None:
    pairs = logs(1.02, 120)
    once, sixfold = (paired.between([], pairs[:number], session=1e-4)[3] for number in (20, 120))
    assert sixfold < 1e-4 < once
    assert paired.between([], pairs)[3] < sixfold


def test_fewer_than_six_pairs_decide_nothing() -> None:
    assert paired.between([], [0.1] * 5)[3] == 1.0
    assert paired.between([], [0.1] * 6)[3] == 0.0


def test_pairs_whose_parents_lay_out_their_objects_alike_give_way_to_those_whose_do_not() -> None:
    earlier = Provenance(machine="there", date="2026-11-29T12:00:00+00:00")
    rows = [row("2.1.0", 1.05, provenance=HERE), row("2.1.0", 1.08, provenance=earlier)]
    rows[1] = replace(rows[1], deciding={"cpu_first_row": logs(1.08, 120)})
    (change,) = paired.best(paired.changes(rows))
    assert (change.machine, change.scattered) == ("here", True)
    # New pairs are not added to them either.
    new = reference.PairedLogs({"cpu_first_row": logs(1.0)}, {"cpu_first_row": 0.1})
    later = replace(earlier, date="2026-12-01T12:00:00+00:00")
    assert reference.with_logs(rows, "2.1.0", "spawn", new, True, later).decided == 20
    assert reference.with_logs(rows, "2.1.0", "spawn", new, True, HERE).decided == 40


COUNTED = {"modules": 100.0, "calls_first_query": 500.0, "collections_first_query_1": 0.0}


def counts(**changed: float) -> list[Series]:
    """Counts of spawn in 2.0.43 and 2.0.44, where those in `changed` differ."""
    return [
        Series(
            SeriesKey("m", "e", f"exact.Work.track_{name}", ("spawn", "none")),
            "collections" if name.startswith("collections") else "calls",
            {"2.0.43": value, "2.0.44": changed.get(name, value)},
        )
        for name, value in COUNTED.items()
    ]


PAIR = [row("2.0.43", 0.95), row("2.0.44", 1.0)]


def found(all_series: list[Series], neighbours: list[PairedChange] = []) -> list[tuple[str, str]]:  # noqa: B006
    known = changes.of(all_series, neighbours, PAIR)
    return [(change.release, change.metric) for change in known.paired]


def test_a_change_of_which_only_the_collections_moved_is_not_reported() -> None:
    assert found(counts()) == [("2.0.44", "cpu_first_row")]
    assert found(counts(collections_first_query_1=1.0)) == []
    assert found(counts(collections_first_query_1=1.0, modules=101)) == [("2.0.44", "cpu_first_row")]


def test_pairs_with_the_reference_replace_an_older_comparison() -> None:
    (change,) = changes.of([], [CHANGE], PAIR).paired
    assert change.ratio == pytest.approx(1.05, rel=0.01)
    (change,) = changes.of([], [CHANGE], []).paired
    assert change.ratio == 1.2


def test_a_change_with_releases_in_between_is_open() -> None:
    known = changes.of([], [], [row("2.0.40", 0.95), row("2.0.44", 1.0)])
    assert known.open == (("2.0.40", "2.0.44"),)
    assert known.paired == ()


def test_a_change_that_another_machine_has_placed_is_not_open() -> None:
    placed = [row("2.0.43", 0.95, provenance=THERE), row("2.0.44", 1.0, provenance=THERE)]
    same = [row("2.0.40", 0.951), row("2.0.57", 1.0)]
    assert changes.of([], [], [*placed, *same]).open == ()
    larger = [row("2.0.40", 0.8), row("2.0.57", 1.0)]
    assert changes.of([], [], [*placed, *larger]).open == (("2.0.40", "2.0.57"),)


def test_older_comparisons_count_only_for_what_is_paired_today() -> None:
    """Others would seem unchanged where only one of two cells with the same code was paired. Those of a
    preloading fork server depend on its garbage collector."""
    cells = {(change.strategy, change.dataframe) for change in paired.load()}
    assert cells == {(name, "none") for name in ("fork_dispose", "spawn", "nullpool")}


def test_a_count_that_changes_by_less_than_a_hundredth_is_not_listed() -> None:
    known = changes.of(counts(calls_first_query=504.0, modules=102.0), [], [])
    assert [(each.metric, each.ratio) for each in known.counts] == [("modules", 1.02)]
    assert known.minor == 1
