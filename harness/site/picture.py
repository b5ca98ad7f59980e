"""README.md's picture, `docs/answer.svg`: the answer of the newest release, for light and dark themes."""

from pathlib import Path
from textwrap import wrap
from typing import Any

from harness import strategies
from harness.answer import verdicts
from harness.answer.verdicts import VerdictsOnRecord, WorstOutcome, shares_connection
from harness.console.numbers import digits
from harness.site import charts
from harness.site.context import environment
from harness.site.results import ReleaseFigures, TestBed, load
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

X = {"time": 175, "memory": 530, "worst": 715}
"""The left ends of the columns."""

TIME, MEMORY = 325.0, 150.0
"""The widths of the longest bars."""

ROW, APART, HEAD, FOOT = 84, 22, 40, 34


def render(results: Path = ROOT / "results") -> str:
    """The picture as SVG. Raises PoolstartError if there are no results, or a record is damaged."""
    measured = load(results)
    if not measured.test_beds:
        raise PoolstartError("there are no results yet", "measure by `asv run`")
    bed = measured.test_beds[0]
    rows = rows_of(bed.newest, verdicts.load())
    height = HEAD + ROW * len(rows) + APART * sum(row["apart"] for row in rows) + FOOT
    template = environment().get_template("answer.svg.j2")
    text: str = template.render(
        rows=rows,
        height=height,
        x=X,
        release=bed.newest.version,
        conditions=conditions(bed),
        legend=[("startup", "startup"), ("engine", "engine"), ("first_row", "first row")],
    )
    return text + "\n"


def conditions(bed: TestBed) -> str:
    parts = (f"SQLAlchemy {bed.newest.version}, nothing large in the parent", bed.name)
    return f"{'; '.join(parts)}. Medians, 99 % intervals within this run."


def worst_in_words(worst: WorstOutcome) -> str:
    """What the headline of the worst outcome rests on, and what happens otherwise."""
    if not worst.severity:
        return ""
    if worst.in_any_case:
        return f"in any case: {worst.hazards[0].title}"
    if worst.untried:
        return f"otherwise: {worst.severity}"
    return f"if {worst.conditions}; otherwise: {worst.severity}"


def rows_of(release: ReleaseFigures, recorded: VerdictsOnRecord) -> list[dict[str, Any]]:
    names = [each.id for each in strategies.CATALOGUE if release.of("time_to_first_row", each.id, "none")]
    end = charts.longest(release, names, "none")
    most = max(
        figure.median
        for name in names
        for metric in ("uss", "uss_collected")
        if (figure := release.of(metric, name, "none"))
    )
    rows, top = [], HEAD
    for name in sorted(names, key=shares_connection):
        bar = charts.bar(release, name, "none", end)
        assert bar is not None, name
        unique, collected = (release.of(metric, name, "none") for metric in ("uss", "uss_collected"))
        worst = recorded.worst(name, release.version)
        left, segments = 0.0, []
        for part in bar.segments:
            width = TIME * float(part.width) / 100
            segments.append({"left": f"{left:.1f}", "width": f"{width:.1f}", "phase": part.phase})
            left += width
        rows.append(
            {
                "id": name,
                "top": top,
                "apart": shares_connection(name),
                "method": strategies.get(name).start_method,
                "total": bar.total.text(),
                "parts": " + ".join(part.text for part in bar.segments),
                "segments": segments,
                "low": f"{TIME * float(bar.low) / 100:.1f}",
                "high": f"{TIME * (float(bar.low) + float(bar.span)) / 100:.1f}",
                "memory": unique.text() if unique else "",
                "memory_width": f"{MEMORY * unique.median / most:.1f}" if unique else "0",
                "collected": digits(collected.median / 2**20) if collected else "",
                "collected_width": f"{MEMORY * collected.median / most:.1f}" if collected else "0",
                "kept": str(worst.severity) if worst.in_any_case else worst.kept,
                "hazard": wrap(worst_in_words(worst), 34, break_on_hyphens=False),
            }
        )
        top += ROW + (APART if shares_connection(name) else 0)
    return rows
