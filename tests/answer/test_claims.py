"""The page of claims says what is recorded, and nothing that the records contradict."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.answer import claims
from harness.answer.claims import (
    PAGES,
    ClaimRecords,
    CountEvidence,
    DemoEvidence,
    HazardEvidence,
    MetricEvidence,
)
from harness.demos import catalogue as demos
from harness.hazards import catalogue as hazards
from harness.hazards.hazard import Verdict
from harness.system.errors import PoolstartError
from tests.support.results import answer

Evidence = HazardEvidence | MetricEvidence | CountEvidence


CLAIMS = claims.texts().claims


def test_every_claim_is_said_and_answered_in_every_language_with_evidence() -> None:
    assert len(CLAIMS) == 16
    for claim in CLAIMS:
        assert set(claim.claim) == set(claim.answer) == set(PAGES)
        assert claim.evidence
        assert all(claim.claim.values())
        assert all(claim.answer.values())
    assert claims.texts().words["en"].keys() == claims.texts().words["zh"].keys()


def test_figures_stand_in_the_evidence_only() -> None:
    for claim in CLAIMS:
        for text in (*claim.claim.values(), *claim.answer.values()):
            assert not re.search(r"\d+(\.\d+)? ?(ms|MiB|s\b)", text)


def test_evidence_names_existing_hazards_and_demos() -> None:
    for evidence in (each for claim in CLAIMS for each in claim.evidence):
        if isinstance(evidence, HazardEvidence):
            assert evidence.hazard in hazards.IDS
        if isinstance(evidence, DemoEvidence):
            assert demos.get(str(evidence.demo))


@pytest.fixture
def records() -> ClaimRecords:
    return ClaimRecords(answer())


def with_verdict(hazard: str, strategy: str, verdict: Verdict) -> Callable[[ClaimRecords], None]:
    def change(records: ClaimRecords) -> None:
        recorded = records.verdicts.verdict

        def changed(name: str, under: str, release: str) -> str:
            known = recorded(name, under, release)
            return str(verdict) if (name, under) == (hazard, strategy) and known else known

        records.verdicts.verdict = changed  # type: ignore[method-assign]

    return change


def with_spawn_affected_by_all(records: ClaimRecords) -> None:
    for hazard in hazards.IDS:
        with_verdict(hazard, "spawn", Verdict.AFFECTED)(records)


def with_slow_fork(records: ClaimRecords) -> None:
    key = ("startup", "fork_dispose", "none")
    level = records.results.levels[key]
    slow = {release: 1000 * value for release, value in level.medians.items()}
    levels = {**records.results.levels, key: replace(level, medians=slow)}
    records.results = replace(records.results, levels=levels)


@pytest.mark.parametrize(
    ("evidence", "change"),
    [
        (
            HazardEvidence("lost_transaction", {"fork_dispose": Verdict.AFFECTED}),
            with_verdict("lost_transaction", "fork_dispose", Verdict.SURVIVES),
        ),
        (MetricEvidence("startup", [("fork_dispose", "none"), ("spawn", "none")]), with_slow_fork),
        (CountEvidence(["spawn", "fork_dispose"]), with_spawn_affected_by_all),
    ],
    ids=["verdict", "figure", "count"],
)
def test_an_answer_that_the_records_contradict_is_not_written(
    records: ClaimRecords, evidence: Evidence, change: Callable[[ClaimRecords], None]
) -> None:
    words = claims.texts().words["en"]
    assert evidence.text(records, words)
    change(records)
    with pytest.raises(PoolstartError, match="the records contradict an answer"):
        evidence.text(records, words)


def test_chinese_has_its_own_marks() -> None:
    ascii_mark = re.compile(r"[\u4e00-\u9fff][,;:(]|[,;:)][\u4e00-\u9fff]")
    for claim in CLAIMS:
        for text in (claim.claim["zh"], claim.answer["zh"]):
            assert not ascii_mark.search(text), text
