"""The procedure finds changes at their exact release, whatever noise says, and asks for few pairs."""

import random
from collections.abc import Callable, Collection, Sequence
from math import log

import pytest

from harness.history import bracket, paired, reference
from harness.history.reference import NEWEST, REFERENCE, SESSION, PairedLogs, RatioRow
from harness.records.provenance import Provenance

ORDER = [f"2.0.{number}" for number in range(20, 59)] + [f"2.1.{number}" for number in range(4)]

HERE = Provenance(machine="here", date="2026-12-01")

DIRECT = bracket.Step("2.1.3", ("fork_dispose",), SESSION, deciding=True, before="2.1.2")


def run(
    truth: Callable[[str], float],
    *,
    candidates: Collection[str] = (),
    noise: float = 0.012,
    seed: int = 1,
    strategies: tuple[str, ...] = ("fork_dispose",),
    rows: list[RatioRow] | None = None,
    order: Sequence[str] = ORDER,
) -> tuple[list[RatioRow], list[bracket.Step]]:
    """Run the procedure on releases whose level relative to the first is `truth`; noise is that of a pair."""
    rng, rows, steps = random.Random(seed), rows or [], []

    while step := bracket.following(rows, order, candidates, "here", strategies):
        steps.append(step)
        middle = log(truth(step.release) / truth(step.before or REFERENCE))
        for name in step.strategies:
            logs = {"cpu_first_row": [rng.gauss(middle, noise) for _ in range(step.pairs)]}
            measured = PairedLogs(logs, {"cpu_first_row": 0.1})
            row = reference.with_logs(rows, step.release, name, measured, step.deciding, HERE, step.before)
            rows = [*(each for each in rows if each.key != row.key), row]
        assert len(steps) < 100, "it does not end"
    return rows, steps


def found(rows: list[RatioRow]) -> list[tuple[str, str]]:
    return [(change.before, change.release) for change in paired.reported(paired.changes(rows))]


def since(release: str, ratio: float) -> Callable[[str], float]:
    return lambda version: ratio if ORDER.index(version) >= ORDER.index(release) else 1.0


def test_without_any_change_only_the_anchors_are_paired_and_only_the_newest_two_directly() -> None:
    rows, steps = run(lambda _: 1.0, noise=0.002, strategies=("fork_dispose", "spawn"))
    assert {row.release for row in rows} == {"2.1.3", "2.1.2", "2.0.20"}
    assert [step for step in steps if step.deciding] == [DIRECT] * (NEWEST // SESSION)


def test_a_newer_release_needs_no_new_pairs_of_its_predecessor() -> None:
    rows, _ = run(lambda _: 1.0, noise=0.002)
    _, steps = run(lambda _: 1.0, noise=0.002, rows=rows, order=[*ORDER, "2.1.4"])
    assert {step.release for step in steps} == {"2.1.4"}


def test_a_small_change_of_the_newest_release_is_found_at_once_through_the_noise_of_real_pairs() -> None:
    runs = [run(since("2.1.3", 1.02), noise=0.022, seed=seed) for seed in range(20)]
    assert sum(("2.1.2", "2.1.3") in found(rows) for rows, _ in runs) >= 19
    assert {steps[0] for _, steps in runs} == {DIRECT}


@pytest.mark.parametrize("release", ["2.0.21", "2.0.44", "2.0.58", "2.1.0", "2.1.1"])
def test_a_change_that_no_screen_announces_is_found_at_its_release(release: str) -> None:
    rows, _ = run(since(release, 1.05))
    at = ORDER.index(release)
    assert found(rows) == [(ORDER[at - 1], release)]
    assert len({row.release for row in rows}) <= 10, "far fewer than all 43"


def test_two_changes_are_found_both() -> None:
    def truth(release: str) -> float:
        return since("2.0.31", 1.06)(release) * since("2.1.0", 0.95)(release)

    assert found(run(truth)[0]) == [("2.0.30", "2.0.31"), ("2.0.58", "2.1.0")]


def test_a_release_whose_instructions_changed_is_decided_even_if_its_first_pairs_look_alike() -> None:
    rows, _ = run(lambda _: 1.0, candidates=["2.0.44"], noise=0.002)
    assert {row.release for row in rows if row.deciding} == {"2.0.43", "2.0.44", "2.1.3"}
    assert found(rows) == []


def test_only_the_strategies_that_seem_to_differ_are_paired_again() -> None:
    rows, _ = run(since("2.1.3", 1.04), strategies=("fork_dispose",))
    other = [RatioRow(row.release, "spawn", {"uss": [0.0] * 8}, {"uss": 3e7}, {}, HERE) for row in rows]
    assert bracket.following([*rows, *other], ORDER, (), "here", ("fork_dispose", "spawn")) is None


def test_rows_of_another_machine_decide_nothing_here() -> None:
    rows, _ = run(since("2.1.3", 1.05))
    step = bracket.following(rows, ORDER, (), "there", ("fork_dispose",))
    assert step == DIRECT
