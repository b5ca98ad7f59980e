"""One rule decides which hazards count for a strategy, and every page shows the same number."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from harness import strategies
from harness.answer import recommendation, results_report, verdicts
from harness.answer.figures import answers
from harness.answer.verdicts import VerdictsOnRecord
from harness.hazards import expected
from harness.hazards.bisection import release_verdicts
from harness.hazards.bisection.release_verdicts import ReleaseVerdicts
from harness.hazards.hazard import Outcome, Severity, Verdict
from harness.hazards.table import VerdictTable
from harness.records.provenance import Provenance
from harness.site import picture
from harness.system.environment import ROOT
from tests.support.results import RESULTS

RELEASE = "2.1.9"


def counts() -> dict[str, str]:
    """`12 of 27` by strategy, computed from the two records without the code under test."""
    tables = json.loads(expected.PATH.read_text())["2.1"]
    of_series = {
        (trial["hazard"], trial["strategy"]): trial["verdict"]
        for trial in [*tables["outcomes"], *tables["further"]["outcomes"]]
    }
    by_release = {
        (hazard, strategy): changes[-1][1]
        for hazard, row in json.loads(release_verdicts.RECORD.read_text())["verdicts"].items()
        for strategy, changes in row.items()
    }
    found = {}
    for strategy in (*strategies.IDS, *strategies.FURTHER_IDS):
        decided = [
            by_release[cell] if by_release.get(cell, "n/a") != "n/a" else verdict
            for cell, verdict in of_series.items()
            if cell[1] == strategy
        ]
        # "struck" is the older word of the records.
        affected = sum(verdict in ("affected", "struck") for verdict in decided)
        found[strategy] = f"{affected} of {affected + decided.count('survives')}"
    return found


def test_the_count_follows_the_rule() -> None:
    recorded = verdicts.load()
    assert {name: recorded.worst(name, RELEASE).count for name in counts()} == counts()
    assert len(set(counts().values())) > 5


COUNT = r"(\d+ of \d+)"


@pytest.mark.parametrize(
    ("page", "pattern"),
    [
        ("docs/results.md", rf"^\| `(\w+)` \| [^|]+ \| {COUNT} \|"),
        ("docs/claims.md", rf"`(\w+)` affected by {COUNT} hazards"),
        ("docs/strategies.md", rf'<a id="(\w+)"></a>(?:(?!<a id).)*?Affected by {COUNT} hazards'),
    ],
)
def test_every_page_shows_the_same_count(page: str, pattern: str) -> None:
    flags = re.MULTILINE | (re.DOTALL if "strategies" in page else 0)
    found = re.findall(pattern, (ROOT / page).read_text(), flags)
    assert found
    for strategy, count in found:
        assert count == counts()[strategy], f"{page}: {strategy}"


PROVENANCE = Provenance("2.1.9", "", "", "", "", "", "")


def table(**found: Verdict) -> dict[str, VerdictTable]:
    """A table of `spawn`; by hazard its verdict."""
    return {
        "2.1": VerdictTable(PROVENANCE, tuple(Outcome(name, "spawn", each) for name, each in found.items()))
    }


def tried(**found: str) -> ReleaseVerdicts:
    row = {name: {"spawn": [("2.1.0", verdict)]} for name, verdict in found.items()}
    return ReleaseVerdicts(("2.1.0", "2.1.9"), ("2.1.0", "2.1.9"), row, PROVENANCE)


@pytest.mark.parametrize(
    ("own", "of_series", "verdict"),
    [
        ("affected", Verdict.SURVIVES, "affected"),  # the release's own trial decides
        ("n/a", Verdict.AFFECTED, "affected"),  # but not a trial that could not run
        ("n/a", Verdict.NOT_APPLICABLE, "n/a"),
        ("", Verdict.SURVIVES, "survives"),
        ("no result", Verdict.SURVIVES, "survives"),
    ],
)
def test_a_trial_that_ended_counts_before_one_that_could_not_run(
    own: str, of_series: Verdict, verdict: str
) -> None:
    record = VerdictsOnRecord(table(native_threads=of_series), tried(native_threads=own) if own else tried())
    assert record.verdict("native_threads", "spawn", "2.1.9") == verdict
    assert record.worst("spawn", "2.1.9").counted == (verdict != "n/a")


def test_the_worst_outcome_is_that_of_the_worst_severity() -> None:
    record = VerdictsOnRecord(
        table(
            unpicklable=Verdict.AFFECTED,
            lost_transaction=Verdict.AFFECTED,
            own_lock=Verdict.SURVIVES,
            pool_lock=Verdict.NOT_APPLICABLE,
        )
    )
    worst = record.worst("spawn", "2.1.9")
    assert (worst.severity, worst.count) == (Severity.SILENT_LOSS, "2 of 3")
    assert [hazard.id for hazard in worst.hazards] == ["lost_transaction"]
    assert worst.sentence == (
        "silent loss; with its conditions kept: not tried (lost_transaction); 2 of 3 hazards affect it"
    )
    assert str(record.worst("fork_dispose", "2.1.9")) == "not recorded"
    assert str(record.worst("spawn", "9.9.9")) == "not recorded"


def with_conditions(**found: tuple[Verdict, Verdict | None]) -> verdicts.WorstOutcome:
    """The worst outcome of `spawn`, by hazard its verdict without and with its condition."""
    outcomes = tuple(
        Outcome(name, "spawn", verdict, with_condition=kept) for name, (verdict, kept) in found.items()
    )
    return VerdictsOnRecord({"2.1": VerdictTable(PROVENANCE, outcomes)}).worst("spawn", "2.1.9")


HIT, NOT = Verdict.AFFECTED, Verdict.SURVIVES


def test_what_is_left_with_conditions_kept_is_told_from_what_happens_otherwise() -> None:
    both = with_conditions(
        lost_transaction=(HIT, NOT), own_lock=(HIT, NOT), inherited_lock=(NOT, None), copied_frame=(HIT, None)
    )
    assert str(both) == "if no lock held, no open transaction: cost; otherwise: silent loss"
    assert [hazard.id for hazard in both.remaining] == ["copied_frame"]
    nothing = with_conditions(unguarded_main=(HIT, NOT), module_frame=(HIT, NOT))
    assert str(nothing) == "if main guard: nothing; otherwise: loud error"


def test_a_condition_that_does_not_help_is_not_named() -> None:
    worst = with_conditions(lost_transaction=(HIT, HIT), own_lock=(HIT, NOT))
    assert str(worst) == "silent loss in any case"


def test_nothing_is_claimed_of_a_condition_that_was_not_tried() -> None:
    worst = with_conditions(lost_transaction=(HIT, None), own_lock=(HIT, NOT))
    assert str(worst) == "silent loss; with its conditions kept: not tried"
    assert worst.kept == "not tried"


def test_every_condition_on_record_was_tried_and_helps() -> None:
    for name in strategies.GROUPS["all"]:
        assert not verdicts.load().worst(name, RELEASE).untried, name
    for table in (expected.load()["2.1"], expected.load()["2.1"].further):
        assert table
        # A strategy that is never recommended may be affected in any case.
        safe = [outcome for outcome in table.outcomes if strategies.get(outcome.strategy).safe]
        assert {outcome.with_condition for outcome in safe} == {Verdict.SURVIVES, None}


def test_a_recommended_strategy_does_no_harm_if_its_conditions_are_kept() -> None:
    recorded = verdicts.load()
    for rule in recommendation.rules():
        assert recorded.worst(rule.strategy, RELEASE).kept in ("nothing", "cost")


def test_every_page_says_what_happens_with_and_without_conditions(site_pages: dict[str, str]) -> None:
    recorded, readme = verdicts.load(), (ROOT / "README.md").read_text()
    figure = unescape(picture.render(answers.default()))
    for name in strategies.IDS:
        worst = recorded.worst(name, RELEASE)
        assert f"| `{name}` | {worst.kept} | {worst.severity} |" in readme
        for page in ("docs/strategies.md", "docs/results.md"):
            assert f"| {worst} |" in (ROOT / page).read_text(), page
        if not worst.in_any_case:
            pieces = f"if {worst.conditions}", f"otherwise: {worst.severity}"
            assert all(" ".join(piece.split()) in text_of(figure) for piece in pieces)
            assert f"<small>if {worst.conditions}:</small>" in site_pages["index.html"]
            if name in recommendation.RECOMMENDED:
                assert f"<small>if {worst.conditions}:</small>" in site_pages["choose.html"]


def text_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", markup).split())


def test_every_page_of_the_site_shows_the_same_count(site_pages: dict[str, str]) -> None:
    shown = {
        (address, row[0], row[1])
        for address, text in site_pages.items()
        for row in re.findall(
            r'<tr id="(\w+)-(?:none|large)">.*?affected by (\d+ of \d+) hazards', text, re.DOTALL
        )
    }
    assert {name for _, name, _ in shown} == set(strategies.IDS)
    assert {(name, count) for address, name, count in shown if address == "index.html"} == {
        (name, counts()[name]) for name in strategies.IDS
    }
    chinese = (ROOT / "docs" / "claims.zh.md").read_text()
    found = re.findall(r"`(\w+)` 在 (\d+) 种隐患中中招 (\d+) 种", chinese)
    assert {name: f"{affected} of {tried}" for name, tried, affected in found} == {
        name: counts()[name] for name in strategies.IDS
    }


def test_the_terminal_shows_the_same_counts(capsys: pytest.CaptureFixture[str]) -> None:
    results_report.print_tables(answers.default(RESULTS), verdicts.load())
    text = " ".join(capsys.readouterr().out.split())
    shown = re.findall(r"(\d+ of \d+) hazards affect it", text)
    assert sorted(shown) == sorted(counts()[name] for name in strategies.IDS)


@pytest.fixture(scope="module")
def site_pages(site: Path) -> dict[str, str]:
    return {name: unescape((site / name).read_text()) for name in ("index.html", "choose.html")}


def test_neighbouring_releases_with_the_same_verdict_are_one_span() -> None:
    changes = {"unpicklable": {"spawn": [("2.1.0", "affected"), ("2.1.2", "survives")]}}
    releases = ("2.1.0", "2.1.1", "2.1.2", "2.1.3")
    record = VerdictsOnRecord({}, ReleaseVerdicts(releases, releases, changes, PROVENANCE))
    newest, older = record.spans("unpicklable", "spawn")
    assert (newest.verdict, newest.releases) == ("survives", "from 2.1.2 to 2.1.3")
    assert (older.verdict, older.releases) == ("affected", "from 2.1.0 to 2.1.1")


def test_a_trial_of_a_release_under_one_python_does_not_count_under_another() -> None:
    under = replace(PROVENANCE, python="3.14.1")
    outcomes = (Outcome("unpicklable", "spawn", Verdict.SURVIVES),)
    record = VerdictsOnRecord({"2.1": VerdictTable(under, outcomes)}, tried(unpicklable="affected"))
    assert record.verdict("unpicklable", "spawn", "2.1.9") == "survives"
    assert record.verdict("own_lock", "spawn", "2.1.9") == ""
