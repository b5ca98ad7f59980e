"""One rule decides which hazards count for a strategy, and every page shows the same number."""

import json
import re

import pytest

from harness import strategies
from harness.answer import verdicts
from harness.answer.verdicts import VerdictsOnRecord
from harness.hazards import bisect, expected
from harness.hazards.bisect import ReleaseVerdicts
from harness.hazards.hazard import Outcome, Severity, Verdict
from harness.hazards.table import VerdictTable
from harness.records.provenance import Provenance
from harness.site import picture
from harness.system.environment import ROOT

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
        for hazard, row in json.loads(bisect.RECORD.read_text())["verdicts"].items()
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
        ("README.md", rf"`(\w+)`[^\n]*?{COUNT} hazards"),
        ("docs/results.md", rf"^\| `(\w+)` \| [a-z ]+ \| {COUNT} \|"),
        ("docs/claims.md", rf"`(\w+)` affected by {COUNT} hazards"),
        ("docs/strategies.md", rf'<a id="(\w+)"></a>(?:(?!<a id).)*?Affected by {COUNT} hazards'),
    ],
)
def test_every_page_shows_the_same_count(page: str, pattern: str) -> None:
    flags = re.MULTILINE | (re.DOTALL if "strategies" in page else 0)
    found = re.findall(pattern, (ROOT / page).read_text(), flags)
    assert found or page == "README.md"
    for strategy, count in found:
        assert count == counts()[strategy], f"{page}: {strategy}"


def test_readme_shows_the_worst_outcome_of_the_same_rule() -> None:
    recorded, readme = verdicts.load(), (ROOT / "README.md").read_text()
    for strategy in strategies.IDS:
        assert f"| `{strategy}` | {recorded.worst(strategy, RELEASE)} |" in readme
        assert recorded.worst(strategy, RELEASE).severity in picture.render()  # type: ignore[operator]


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
    assert worst.sentence == "silent loss: lost_transaction; 2 of 3 hazards affect it"
    assert str(record.worst("fork_dispose", "2.1.9")) == "not recorded"
    assert str(record.worst("spawn", "9.9.9")) == "not recorded"


def test_neighbouring_releases_with_the_same_verdict_are_one_span() -> None:
    changes = {"unpicklable": {"spawn": [("2.1.0", "affected"), ("2.1.2", "survives")]}}
    releases = ("2.1.0", "2.1.1", "2.1.2", "2.1.3")
    record = VerdictsOnRecord({}, ReleaseVerdicts(releases, releases, changes, PROVENANCE))
    newest, older = record.spans("unpicklable", "spawn")
    assert (newest.verdict, newest.releases, newest.newest) == ("survives", "from 2.1.2 to 2.1.3", True)
    assert (older.verdict, older.releases, older.newest) == ("affected", "from 2.1.0 to 2.1.1", False)
