"""The trials of an asv run, which are run once and read by many benchmarks."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.hazards import catalogue
from harness.hazards.hazard import Hazard, Outcome, Verdict
from harness.hazards.table import by_hazard
from harness.lifecycles import profile as profiles
from harness.processes import heartbeat
from harness.processes.errors import print_reasons
from harness.system import files
from harness.system.errors import PoolstartError
from harness.system.structure import structure

TRIALS = "POOLSTART_TRIALS"
"""Environment variable: `due`, or `all` to try also what is on record for the same versions."""


def of_this_run() -> dict[str, Any]:
    """Try every hazard that asv follows under every strategy; the outcomes by hazard and strategy, as JSON.

    A profile may restrict this to the controls of each hazard. Verdicts on record for the same versions are
    used again. How many, and reasons why a hazard was not applicable, was not tried, or had no result, are
    printed on standard error, a line each. Raises `PoolstartError` if `POOLSTART_TRIALS` is invalid.
    """
    # Benchmarks that only read outcomes do not need these imports.
    from harness.hazards import matrix
    from harness.postgres import locate
    from harness.records.provenance import Provenance

    profile, all_trials = profiles.current(), every_trial()

    def wanted(hazard: Hazard, strategy: str) -> bool:
        return profile.hazards == "all" or strategy in (hazard.affected_control, hazard.survives_control)

    try:
        with locate.server() as server:
            hazards, here = catalogue.followed(), Provenance.here(server.identity)
            recorded = [] if all_trials else matrix.for_the_same_versions(hazards, profile.strategies, here)
            known = {(outcome.hazard, outcome.strategy) for outcome in recorded}
            outcomes = matrix.measure(
                server,
                hazards,
                profile.strategies,
                lambda outcome: heartbeat.beat(f"{outcome.hazard}, {outcome.strategy}"),
                wanted=lambda hazard, strategy: (
                    (hazard.id, strategy) not in known and wanted(hazard, strategy)
                ),
            )
    except locate.OnlyTimes as reason:
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
    if recorded:
        print_reasons(
            on_record=f"{len(recorded)} verdicts for the same versions; {TRIALS}=all tries them too"
        )
    write_metadata(here.release, recorded)
    run: dict[str, Any] = {}
    for outcome in (*recorded, *outcomes):
        run.setdefault(outcome.hazard, {})[outcome.strategy] = asdict(outcome)
    return run


def every_trial() -> bool:
    """Whether the environment asks for all trials. Raises `PoolstartError` if the variable is invalid."""
    value = os.environ.get(TRIALS) or "due"
    if value not in ("due", "all"):
        raise PoolstartError(f"{TRIALS}={value} is neither due nor all", "unset it, or set it to all")
    return value == "all"


def write_metadata(release: str, recorded: Sequence[Outcome]) -> None:
    """Write beside the results which verdicts this run took from the record, by hazard."""
    from harness.lifecycles.asv_run import METADATA

    if path := os.environ.get(METADATA):
        on_record = by_hazard((outcome.hazard, outcome.strategy) for outcome in recorded)
        files.write(Path(path), json.dumps({"release": release, "verdicts_on_record": on_record}))


def read(run: dict[str, Any], hazard: str, strategy: str) -> Outcome | None:
    """One outcome of `of_this_run`; None if it was not tried."""
    fields = run.get(hazard, {}).get(strategy)
    return structure(Outcome, fields) if fields else None
