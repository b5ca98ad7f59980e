"""Outcomes: the trials of an asv run, which many benchmarks read."""

import sys
from dataclasses import asdict
from typing import Any

from harness.hazards import catalogue
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.lifecycles import profile as profiles
from harness.system.structure import structure


def of_this_run() -> dict[str, Any]:
    """All outcomes by hazard and strategy, as JSON: every hazard that asv follows, under every strategy.

    The profile may ask for the controls of each hazard alone. What came to no result, or could not be, is
    told on standard error, a line for each reason.
    """
    # What only trials need is not imported by those that read.
    from harness.hazards import matrix
    from harness.postgres import locate

    profile = profiles.current()

    def wanted(hazard: Hazard, strategy: str) -> bool:
        return profile.hazards == "all" or strategy in (hazard.affected_control, hazard.survives_control)

    with locate.server() as server:
        outcomes = matrix.measure(
            server, catalogue.followed(), profile.strategies, lambda _: None, wanted=wanted
        )
    for reason in dict.fromkeys(outcome.reason for outcome in outcomes if outcome.reason):
        remark = any(
            outcome.verdict is Verdict.NOT_APPLICABLE for outcome in outcomes if outcome.reason == reason
        )
        print(f"poolstart: {'n/a: ' if remark else ''}{reason}", file=sys.stderr)
    found: dict[str, Any] = {}
    for outcome in outcomes:
        found.setdefault(outcome.hazard, {})[outcome.strategy] = asdict(outcome)
    return found


def read(run: dict[str, Any], hazard: str, strategy: str) -> Outcome | None:
    """One outcome of `of_this_run`; None where it was not tried."""
    fields = run.get(hazard, {}).get(strategy)
    return structure(Outcome, fields) if fields else None
