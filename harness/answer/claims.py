"""The pages `docs/claims.md` and `docs/claims.zh.md`: common claims, answered from what was measured.

The texts are in `claims.toml`. This module checks the evidence that each answer rests on, and shows it with
its recorded figures; an answer that the records contradict is never written.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from string import Template
from typing import Literal

from harness.answer import verdicts
from harness.answer.figures import ranking
from harness.answer.figures.ranking import CellFigure, Order
from harness.answer.figures.results import ReleaseResults
from harness.demos import catalogue as demos
from harness.demos import expected as demo_proofs
from harness.demos.expected import DemoProof
from harness.hazards.hazard import Verdict
from harness.lifecycles import metrics
from harness.lifecycles.intervals import another_run, between_runs, percent
from harness.system.errors import PoolstartError
from harness.system.structure import structure

PAGES = {"en": "docs/claims.md", "zh": "docs/claims.zh.md"}

CAPTIONED = ("time_to_first_row", "uss")
"""The metrics whose difference between runs the pages name."""

Words = dict[str, str]
"""Translations of one language, by the key of each word or phrase."""


class ClaimRecords:
    """The results and records that answers rest on."""

    def __init__(self, answer: ReleaseResults) -> None:
        """Raises PoolstartError if a record is damaged."""
        self.results = answer
        self.verdicts = verdicts.load()
        self.demos: list[DemoProof] = list(demo_proofs.load(demo_proofs.PATH).values())

    def verdict(self, hazard: str, strategy: str) -> Verdict | None:
        """The verdict of the newest recorded release."""
        verdict = self.verdicts.verdict(hazard, strategy, self.verdicts.newest_release)
        return Verdict(verdict) if verdict else None


def run_difference(metric: str, words: Words) -> str:
    """The largest difference of a metric's medians between runs, as a percentage."""
    spread = between_runs(metric)
    return words["missing"] if spread is None else percent(spread)


def contradiction(fact: str) -> PoolstartError:
    return PoolstartError(
        f"the records contradict an answer: {fact}", "correct the answer in harness/answer/claims.toml"
    )


def increase(figures: Sequence[CellFigure]) -> bool:
    """Whether each figure is certainly smaller than the next one."""
    return all(ranking.order(one, other) is Order.SMALLER for one, other in pairwise(figures))


@dataclass(frozen=True)
class HazardEvidence:
    """The verdicts of a hazard."""

    hazard: str
    verdicts: dict[str, Verdict]
    """By strategy."""

    def text(self, records: ClaimRecords, words: Words) -> str:
        """The verdicts as the page shows them. Raises PoolstartError if the records contradict them."""
        parts = []
        for strategy, expected in self.verdicts.items():
            verdict = records.verdict(self.hazard, strategy)
            if verdict is not None and verdict is not expected:
                raise contradiction(f"{self.hazard} under {strategy} is {verdict}, not {expected}")
            parts.append(f"`{strategy}` {words[verdict or 'missing']}")
        return f"[{self.hazard}](hazards.md#{self.hazard}){words['colon']}{words['comma'].join(parts)}"


@dataclass(frozen=True)
class MetricEvidence:
    """Cells in the order in which a metric increases, each time by more than runs differ."""

    metric: str
    increases: list[tuple[str, str]]
    """Strategy and DataFrame setting, the smallest first."""

    def text(self, records: ClaimRecords, words: Words) -> str:
        """The figures as the page shows them. Raises PoolstartError if they are in another order."""
        metric = metrics.get(self.metric)
        figures, parts = [], []
        for strategy, dataframe in self.increases:
            estimate = records.results.of(metric.id, strategy, dataframe)
            if estimate is None:
                parts.append(f"`{strategy}` {words['missing']}")
                continue
            figures.append(CellFigure(estimate, metric.id, strategy, dataframe))
            shown = records.results.answer(strategy, metric, dataframe)
            parts.append(f"`{strategy}` {shown} {metric.display_unit} ({words[dataframe]})")
        if not increase(figures):
            raise contradiction(f"{metric.title} does not increase: {'; '.join(parts)}")
        return f"{words[self.metric]}{words['colon']}{words['comma'].join(parts)}"


@dataclass(frozen=True)
class CountEvidence:
    """Strategies with the number of hazards that affect them; the first strategy has the fewest."""

    fewest_hazards: list[str]

    def text(self, records: ClaimRecords, words: Words) -> str:
        """The counts as the page shows them. Raises PoolstartError if another strategy has fewer."""
        counts, parts = [], []
        for strategy in self.fewest_hazards:
            worst = records.verdicts.worst(strategy, records.verdicts.newest_release)
            if not worst.counted:
                parts.append(f"`{strategy}` {words['missing']}")
                continue
            counts.append(worst.affecting)
            text = Template(words["hazards"]).substitute(number=worst.affecting, all=worst.counted)
            parts.append(f"`{strategy}` {text}")
        if counts and counts[0] != min(counts):
            raise contradiction(f"{self.fewest_hazards[0]} does not have the fewest: {'; '.join(parts)}")
        return words["comma"].join(parts)


@dataclass(frozen=True)
class DemoEvidence:
    """A demo that shows what the answer says."""

    demo: int

    def text(self, records: ClaimRecords, words: Words) -> str:
        """The demo, and how often it gave the same result."""
        demo = demos.get(str(self.demo))
        text = Template(words["demo"]).substitute(number=demo.number, title=demo.title)
        if runs := [proof.runs for proof in records.demos if self.demo in proof.demos]:
            text += Template(words["runs"]).substitute(runs=runs[0])
        return text


@dataclass(frozen=True)
class Claim:
    """A claim, whether it is right, and why. Texts are by language."""

    verdict: Literal["right", "condition", "wrong"]
    claim: dict[str, str]
    answer: dict[str, str]
    evidence: list[HazardEvidence | MetricEvidence | CountEvidence | DemoEvidence]


@dataclass(frozen=True)
class ClaimTexts:
    """The content of `claims.toml`; texts are by language."""

    introduction: dict[str, str]
    closing: dict[str, str]
    words: dict[str, Words]
    claims: list[Claim]


@cache
def texts() -> ClaimTexts:
    """The texts. Raises ValueError that names the entry if one is missing or wrong."""
    source = resources.files("harness.answer") / "claims.toml"
    return structure(ClaimTexts, tomllib.loads(source.read_text(encoding="utf-8")))


def render(language: str, answer: ReleaseResults) -> str:
    """The page in one language as Markdown.

    Raises PoolstartError if an answer does not agree with the records, or a record is damaged.
    """
    records, words = ClaimRecords(answer), texts().words[language]
    parts = [texts().introduction[language]]
    for number, claim in enumerate(texts().claims, 1):
        evidence = words["semicolon"].join(each.text(records, words) for each in claim.evidence)
        parts += [
            f"## {number}. {claim.claim[language]}\n",
            f"**{words[claim.verdict]}**{words['stop']}{claim.answer[language]}\n",
            f"{words['measured']}{words['colon']}{evidence}{words['stop'].rstrip()}\n",
        ]
    newest = records.verdicts.newest
    closing = Template(texts().closing[language]).substitute(
        spread=another_run(map(metrics.get, CAPTIONED)),
        time=run_difference("time_to_first_row", words),
        memory=run_difference("uss", words),
        figures=records.results.conditions,
        verdicts=newest.provenance if newest else words["missing"],
    )
    return "\n".join([*parts, f"{closing}\n"])
