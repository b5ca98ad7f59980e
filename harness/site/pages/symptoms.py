"""Symptoms and error messages, and a page for each hazard with its cause and its cure."""

import inspect
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from harness import drivers, strategies
from harness.answer import code, program_lines
from harness.answer.combinations.combination import Combination
from harness.answer.verdicts import SEVERITIES, VerdictsOnRecord
from harness.drivers import MEASURED, Driver
from harness.hazards.hazard import TRIED, Hazard, Outcome, Severity, Verdict
from harness.hazards.table import VerdictTable
from harness.lookalikes import catalogue as lookalikes
from harness.programs import head
from harness.search import search, stacks
from harness.site.context import File, SiteContext, slug

SECTION, ADDRESS, PER_TEST_BED = "Symptoms", "symptoms.html", False

HEADINGS = {
    Severity.SILENT_LOSS: "Rows are lost without an error",
    Severity.WRONG_DATA: "Rows of another query",
    Severity.HANG: "A process hangs",
    Severity.LOUD_ERROR: "An error message",
    Severity.COST: "Too much memory, time or too many connections",
}


def pages(site: SiteContext) -> Iterator[File]:
    recorded = site.verdicts
    known = [
        name for name in strategies.IDS if any(recorded.spans(hazard.id, name) for hazard in recorded.hazards)
    ]
    yield overview(site, known)
    for hazard in recorded.hazards:
        yield hazard_page(site, hazard, known)
    for lookalike in lookalikes.load_all():
        yield site.page(
            page_of(f"lookalike.{lookalike.id}"),
            "lookalike.html.j2",
            SECTION,
            title=f"{lookalike.heading}: {lookalike.title}",
            lookalike=lookalike,
        )


def overview(site: SiteContext, known: Sequence[str]) -> File:
    """`known` are the strategies with recorded verdicts."""
    recorded = site.verdicts
    groups = [
        {"id": slug(severity), "title": HEADINGS[severity], "hazards": hazards}
        for severity in SEVERITIES
        if (hazards := [hazard for hazard in recorded.hazards if hazard.severity is severity])
    ]
    recorded_stacks = stacks.recorded(recorded.tables)
    waiting = dict.fromkeys((stack.hazard, stack.lines) for stack in recorded_stacks)
    by_id = {hazard.id: hazard for hazard in recorded.hazards}
    rows = [(hazard, [verdict_cell(recorded, hazard, name) for name in known]) for hazard in recorded.hazards]
    return site.page(
        ADDRESS,
        "symptoms.html.j2",
        SECTION,
        title="Errors, hangs and lost rows with multiprocessing and SQLAlchemy",
        groups=groups,
        strategies=known,
        rows=rows if known else [],
        measured=f"Measured {recorded.newest.provenance}." if recorded.newest else "",
        first_look=[(each, page_of(each.entry)) for each in lookalikes.FIRST_LOOK],
        lookalikes=lookalikes.load_all(),
        index=search.index(recorded.hazards, recorded_stacks).data,
        programs=[head.get(name) for name in head.names()],
        stacks=[(lines, by_id[hazard]) for hazard, lines in waiting],
        remarks=site.remarks,
    )


def page_of(entry: str) -> str:
    """The address of the page of a hazard or a look-alike."""
    kind, _, name = entry.partition(".")
    return f"{'symptoms' if kind == 'hazard' else 'lookalikes'}/{name}.html"


def verdict_cell(recorded: VerdictsOnRecord, hazard: Hazard, strategy: str) -> dict[str, Any]:
    """The newest verdict with what happened, and the earlier ones where they differ."""
    spans = recorded.spans(hazard.id, strategy)
    trial = recorded.trial(hazard.id, strategy)
    if not spans:
        return {"text": "not recorded", "css": "unknown", "before": [], "reason": "not tried"}
    newest, *older = spans
    return {
        "text": newest.verdict,
        "css": newest.verdict if newest.verdict in TRIED else "unknown",
        "before": [f"{span.verdict} {span.releases}" for span in older],
        "reason": trial.reason or observed(trial) if trial else "",
    }


def hazard_page(site: SiteContext, hazard: Hazard, known: Sequence[str]) -> File:
    recorded = site.verdicts
    trial = recorded.trial(hazard.id, hazard.affected_control)
    heading = search.texts()[f"hazard.{hazard.id}"].heading
    effect, programs = program_lines.for_hazard(recorded, hazard)
    source = inspect.getsource(import_module(f"harness.hazards.all.{hazard.id}"))
    return site.page(
        f"symptoms/{hazard.id}.html",
        "hazard.html.j2",
        SECTION,
        title=f"{heading}: {hazard.title}",
        heading=heading,
        hazard=hazard,
        effect=effect,
        programs=programs,
        events=trial.story if trial else (),
        provenance=recorded.newest.provenance_of(hazard.id) if recorded.newest else "",
        by_driver=[by_driver(site, hazard, each, known) for each in drivers.DRIVERS],
        cure=cure(recorded, hazard),
        proven=recorded.proven(hazard.id),
        unforced=unforced_rates(recorded, hazard),
        source={
            "name": f"harness/hazards/all/{hazard.id}.py",
            "text": source.partition("\nHAZARD = ")[0].strip(),
        },
    )


def by_driver(site: SiteContext, hazard: Hazard, driver: Driver, known: Sequence[str]) -> dict[str, Any]:
    """The verdicts with a driver, by strategy, and where they are from; none if it was not tried."""
    recorded = site.verdicts_with(Combination(driver))
    title, names = driver.title, known
    if driver != MEASURED:
        trials = [(name, recorded.trial(hazard.id, name)) for name in known]
        names = [name for name, trial in trials if trial and trial.verdict is not Verdict.NOT_TRIED]
    elif hazard.driver != driver.name:
        title = f"{drivers.get(hazard.driver).title} (lines for {driver.title})"
    return {
        "name": driver.name,
        "title": title,
        "cells": [(name, verdict_cell(recorded, hazard, name)) for name in names],
        "measured": measured(recorded.newest, hazard) if recorded.newest else "",
    }


def measured(table: VerdictTable, hazard: Hazard) -> str:
    """Where and when a row was measured, and which of its verdicts were repeated."""
    repeated = table.repeated
    names = repeated.cells.get(hazard.id) if repeated else None
    often = (
        f" In {repeated.trials} of {repeated.trials} trials: {', '.join(names)}."
        if repeated and names
        else ""
    )
    return f"Measured {table.provenance_of(hazard.id)}.{often}"


def observed(outcome: Outcome) -> str:
    """The user's observation in a trial."""
    return " ".join(event.what for event in outcome.story if event.who == "user")


def cure(recorded: VerdictsOnRecord, hazard: Hazard) -> dict[str, Any] | None:
    """The code of a strategy that survives; None if no strategy with code does."""
    name = program_lines.cure(recorded, hazard)
    if not name:
        return None
    strategy = strategies.get(name)
    return {"id": name, "title": strategy.title, "code": code.pool(strategy)}


def unforced_rates(recorded: VerdictsOnRecord, hazard: Hazard) -> list[str]:
    """A line for each figure: how often it went wrong without being forced, by strategy."""
    repeated = recorded.newest.repeated if recorded.newest else None
    lines = []
    for figure in hazard.figures:
        rates = repeated.unforced.get(figure.id, {}) if repeated else {}
        shares = ", ".join(f"{name} {figure.format(rate)}" for name, rate in rates.items())
        if shares:
            lines.append(f"{figure.title}: {shares}{figure.workload and f' ({figure.workload})'}")
    return lines
