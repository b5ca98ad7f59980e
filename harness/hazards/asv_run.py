"""The trials of an asv run: measured once, and read by many benchmarks."""

from dataclasses import asdict
from typing import Any

from harness.hazards import catalogue
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.lifecycles import profile as profiles
from harness.processes import heartbeat
from harness.processes.errors import print_reasons
from harness.system.structure import structure


def of_this_run() -> dict[str, Any]:
    """Try every hazard that asv follows under every strategy; the outcomes by hazard and strategy, as JSON.

    A profile may restrict this to the controls of each hazard. Reasons why a hazard was not applicable,
    was not tried, or had no result, are printed on standard error, a line each.
    """
    # Reading benchmarks do not need these imports.
    from harness.hazards import matrix
    from harness.postgres import locate

    profile = profiles.current()

    def wanted(hazard: Hazard, strategy: str) -> bool:
        return profile.hazards == "all" or strategy in (hazard.affected_control, hazard.survives_control)

    try:
        with locate.server() as server:
            outcomes = matrix.measure(
                server,
                catalogue.followed(),
                profile.strategies,
                lambda outcome: heartbeat.beat(f"{outcome.hazard}, {outcome.strategy}"),
                wanted=wanted,
            )
    except locate.ThroughPooler as reason:
        print_reasons(not_applicable=[reason.problem])
        return {}
    print_reasons(
        (
            f"{outcome.verdict}: {outcome.reason}" if outcome.verdict is Verdict.NOT_TRIED else outcome.reason
            for outcome in outcomes
            if outcome.reason and outcome.verdict is not Verdict.NOT_APPLICABLE
        ),
        (outcome.reason for outcome in outcomes if outcome.verdict is Verdict.NOT_APPLICABLE),
    )
    by_hazard: dict[str, Any] = {}
    for outcome in outcomes:
        by_hazard.setdefault(outcome.hazard, {})[outcome.strategy] = asdict(outcome)
    return by_hazard


def read(run: dict[str, Any], hazard: str, strategy: str) -> Outcome | None:
    """One outcome of `of_this_run`; None if it was not tried."""
    fields = run.get(hazard, {}).get(strategy)
    return structure(Outcome, fields) if fields else None
