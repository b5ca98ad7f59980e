"""The page of claims says what is recorded, and nothing that the records contradict."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.answer import claims
from harness.answer.claims import (
    CLAIMS,
    LANGUAGES,
    Exhibited,
    FewestHazards,
    Hazard,
    LastRow,
    Records,
    Rising,
)
from harness.demos import catalogue as exhibits
from harness.hazards import catalogue as hazards
from harness.hazards.hazard import Verdict
from harness.pools.figures import PoolFigures
from harness.system.errors import PoolstartError


def test_every_claim_is_said_and_answered_in_every_language_with_evidence() -> None:
    assert len(CLAIMS) == 16
    for claim in CLAIMS:
        assert set(claim.said) == set(claim.answer) == set(LANGUAGES)
        assert claim.evidence
        assert all(claim.said.values())
        assert all(claim.answer.values())


def test_figures_stand_in_the_evidence_only() -> None:
    for claim in CLAIMS:
        for text in (*claim.said.values(), *claim.answer.values()):
            assert not re.search(r"\d+(\.\d+)? ?(ms|MiB|s\b)", text)


def test_evidence_names_hazards_and_exhibits_that_there_are() -> None:
    for evidence in (each for claim in CLAIMS for each in claim.evidence):
        if isinstance(evidence, Hazard):
            assert evidence.id in hazards.IDS
        if isinstance(evidence, Exhibited):
            assert exhibits.get(str(evidence.number))


def test_the_three_hazards_of_the_exhibits_stand_on_the_page() -> None:
    told = claims.render("en")
    for name in ("own_lock", "torn_message", "unguarded_main"):
        assert f"(hazards.md#{name})" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_placeholder_is_left_in_a_page(language: str) -> None:
    assert "$" not in claims.render(language)


@pytest.fixture
def records() -> Records:
    return Records()


def with_verdict(hazard: str, strategy: str, verdict: Verdict) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        recorded = records.verdicts.verdict

        def changed(name: str, under: str, release: str) -> str:
            known = recorded(name, under, release)
            return str(verdict) if (name, under) == (hazard, strategy) and known else known

        records.verdicts.verdict = changed  # type: ignore[method-assign]

    return change


def with_spawn_affected_by_all(records: Records) -> None:
    for hazard in hazards.IDS:
        with_verdict(hazard, "spawn", Verdict.AFFECTED)(records)


def with_slow_fork(records: Records) -> None:
    key = ("startup", "fork_dispose", "none")
    figure = records.report.figures[key]
    records.report.figures[key] = replace(figure, median=figure.median * 1000)


def with_slow_pool(records: Records) -> None:
    class Slow:
        def cell(self, strategy: str, workers: int) -> PoolFigures:
            return PoolFigures(strategy, workers, last=(9.0 if strategy == "fork_dispose" else 1.0,))

    slow: Any = Slow()
    records.pools = slow


@pytest.mark.parametrize(
    ("evidence", "change"),
    [
        (
            Hazard("lost_transaction", {"fork_dispose": Verdict.AFFECTED}),
            with_verdict("lost_transaction", "fork_dispose", Verdict.SURVIVES),
        ),
        (Rising("startup", (("fork_dispose", "none"), ("spawn", "none"))), with_slow_fork),
        (FewestHazards(("spawn", "fork_dispose")), with_spawn_affected_by_all),
        (LastRow(8, ("fork_dispose", "spawn")), with_slow_pool),
    ],
    ids=["verdict", "figure", "count", "pool"],
)
def test_an_answer_that_the_records_contradict_is_not_written(
    records: Records, evidence: claims.Evidence, change: Callable[[Records], None]
) -> None:
    assert evidence.shown(records, "en")
    change(records)
    with pytest.raises(PoolstartError, match="the records contradict an answer"):
        evidence.shown(records, "en")


def test_chinese_is_set_with_its_own_marks_but_not_in_code() -> None:
    assert claims.typeset("锁(见 `a(1, 2)`),[页](b.md)", "zh") == "锁\uff08见 `a(1, 2)`\uff09\uff0c[页](b.md)"
