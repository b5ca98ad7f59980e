"""The pages of what goes wrong: from an error message to its story and its cure."""

import inspect
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from harness import strategies
from harness.answer.verdicts import SEVERITIES, VerdictSpan
from harness.hazards.hazard import Hazard, Severity, Verdict
from harness.site import decide
from harness.site.book import Book
from harness.site.data import slug

WORKLOADS = {
    "hung": "two parent threads check connections out and in at the fork; isolation plays no part",
    "hung_no_reset": "the same with pool_reset_on_return=None",
    "errors": "100 questions each over one connection; half of the pairs READ COMMITTED, half AUTOCOMMIT",
    "hangs": "the same trials",
    "wrong_rows": "the same trials",
}
"""What was going on where nothing was forced, by figure."""

HEADINGS = {
    Severity.SILENT_LOSS: "Rows are lost, and nobody is told",
    Severity.WRONG_DATA: "Rows are mixed up",
    Severity.HANG: "It hangs",
    Severity.LOUD_ERROR: "It fails with an error",
    Severity.COST: "It eats memory, time or sessions",
}


def write(book: Book) -> None:
    known = [
        each for each in strategies.IDS if any(spans(book, hazard, each) for hazard in book.verdicts.hazards)
    ]
    groups = [
        {"id": slug(severity), "title": HEADINGS[severity], "hazards": some}
        for severity in SEVERITIES
        if (some := [hazard for hazard in book.verdicts.hazards if hazard.severity is severity])
    ]
    newest = book.verdicts.newest
    book.page(
        "symptoms.html",
        "symptoms.html.j2",
        "Symptoms",
        title="What goes wrong, and why",
        groups=groups,
        strategies=known,
        rows=[
            (hazard, [verdict_cell(book, hazard, name) for name in known]) for hazard in book.verdicts.hazards
        ]
        if known
        else [],
        provoked=f"Measured {newest.setting}." if newest else "",
        luck=luck(book),
        remarks=book.remarks,
    )
    if known:
        book.table(
            "data/verdicts",
            ("hazard", "severity", "strategy", "verdict", "from", "to"),
            [
                (hazard.id, str(hazard.severity), name, span.verdict, span.first, span.last)
                for hazard in book.verdicts.hazards
                for name in known
                for span in spans(book, hazard, name)
            ],
        )
    for hazard in book.verdicts.hazards:
        story(book, hazard, known)


def spans(book: Book, hazard: Hazard, strategy: str) -> list[Any]:
    return book.verdicts.spans(hazard.id, strategy)


def verdict_cell(book: Book, hazard: Hazard, strategy: str) -> dict[str, Any]:
    """The newest verdict, and the earlier ones where they differ."""
    found = spans(book, hazard, strategy)
    outcome = book.verdicts.trial(hazard.id, strategy)
    if not found:
        return {"text": "not recorded", "css": "unknown", "before": [], "reason": "not tried"}
    return {
        "text": found[0].verdict,
        "css": {"affected": "affected", "survives": "survives"}.get(found[0].verdict, "unknown"),
        "before": [f"{span.verdict} {over(span)}" for span in found[1:]],
        "reason": outcome.reason if outcome else "",
    }


def over(span: VerdictSpan) -> str:
    """The releases of a verdict."""
    return f"in {span.first}" if span.first == span.last else f"from {span.first} to {span.last}"


def luck(book: Book) -> dict[str, Any] | None:
    newest = book.verdicts.newest
    repeated = newest.repeated if newest else None
    if not newest or not repeated:
        return None
    names = newest.strategies
    rows = []
    for hazard in book.verdicts.hazards:
        for figure in hazard.figures:
            rates = repeated.rates.get(figure.id)
            if not rates:
                continue
            cells = [
                (figure.format(rates.get(name)), bool((found := rates.get(name)) and found.value))
                for name in names
            ]
            rows.append(
                {
                    "hazard": hazard,
                    "title": figure.title,
                    "workload": WORKLOADS.get(figure.id, ""),
                    "cells": cells,
                }
            )
    return {"strategies": names, "rows": rows, "said": f"Measured {repeated.setting}."}


def story(book: Book, hazard: Hazard, known: Sequence[str]) -> None:
    outcome = book.verdicts.trial(hazard.id, hazard.affected_control)
    newest = book.verdicts.newest
    module = import_module(f"harness.hazards.all.{hazard.id}")
    survivor = next(
        (
            strategies.get(name)
            for name in (hazard.survives_control, *decide.CARDS)
            if name in decide.CARDS
            and book.verdicts.trial(hazard.id, name)
            and book.verdicts.trial(hazard.id, name).verdict is Verdict.SURVIVES  # type: ignore[union-attr]
        ),
        None,
    )
    luck = []
    repeated = newest.repeated if newest else None
    for figure in hazard.figures:
        rates = (repeated.rates if repeated else {}).get(figure.id, {})
        told = [f"{name} {figure.format(rates[name])}" for name in rates]
        if told:
            workload = WORKLOADS.get(figure.id, "")
            luck.append(f"{figure.title}: {', '.join(told)}{f' ({workload})' if workload else ''}")
    book.page(
        f"symptoms/{hazard.id}.html",
        "hazard.html.j2",
        "Symptoms",
        title=hazard.title,
        hazard=hazard,
        story=outcome.story if outcome else (),
        setting=newest.setting if newest else "",
        cells=[(name, verdict_cell(book, hazard, name)) for name in known],
        cure={"id": survivor.id, "title": survivor.title, "code": decide.pool(survivor)}
        if survivor
        else None,
        luck=luck,
        source={
            "name": f"harness/hazards/all/{hazard.id}.py",
            "text": inspect.getsource(module).partition("\nHAZARD = ")[0].strip(),
        },
    )
