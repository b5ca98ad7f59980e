"""README.md's picture, the answer of the newest release: light and dark, for wide and narrow screens."""

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from harness import strategies
from harness.answer import verdicts
from harness.answer.figures.results import ReleaseResults
from harness.answer.verdicts import VerdictsOnRecord, WorstOutcome, shares_connection
from harness.site import charts
from harness.site.context import environment

Point = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """Where the parts of the picture are; those of a row relative to its top left corner."""

    width: int
    margin: int
    head: int
    row: int
    """The least height of a row."""
    headings: tuple[tuple[str, int, int], ...]
    """Text, x and y."""
    legend: Point
    method: Point
    time: Point
    memory: Point
    worst: Point
    time_width: float
    """Of the longest bar, as `memory_width`."""
    memory_width: float
    letters: int
    """In a line below the worst outcome."""
    after: str
    """Behind the memory after a garbage collection."""
    worst_label: str
    """Before the worst outcome."""
    foot: int
    """Letters in a line of the conditions."""


WIDE = Layout(
    width=960,
    margin=20,
    head=56,
    row=84,
    headings=(
        ("strategy", 0, 0),
        ("time to first row", 175, 0),
        ("memory → after GC", 530, 0),
        ("worst outcome", 715, 0),
    ),
    legend=(175, 17),
    method=(0, 38),
    time=(175, 0),
    memory=(530, 0),
    worst=(715, 0),
    time_width=325.0,
    memory_width=150.0,
    letters=33,
    after="",
    worst_label="",
    foot=200,
)

NARROW = Layout(
    width=360,
    margin=14,
    head=58,
    row=192,
    headings=(("time to first row, and memory", 0, 0),),
    legend=(0, 17),
    method=(180, 21),
    time=(0, 24),
    memory=(0, 70),
    worst=(0, 116),
    time_width=326.0,
    memory_width=250.0,
    letters=52,
    after=" after GC",
    worst_label="worst outcome: ",
    foot=54,
)
"""For a phone, which shows it at its own size."""

APART, LINE = 22, 15


def render(answer: ReleaseResults, layout: Layout = WIDE) -> str:
    """The picture as SVG. Raises PoolstartError if a record is damaged."""
    rows, end = rows_of(answer, verdicts.load(), layout)
    e = answer.environment
    lines = wrap(
        f"SQLAlchemy {answer.release}, nothing large in the parent; {answer.machine['machine']},"
        f" {e['postgres']}, Python {e['python']}. Means over the releases since the last change.",
        layout.foot,
    )
    template = environment().get_template("answer.svg.j2")
    text: str = template.render(
        rows=rows,
        height=end + LINE * (len(lines) + 1),
        layout=layout,
        release=answer.release,
        conditions=lines,
        legend=[("startup", "startup"), ("engine", "engine"), ("first_row", "first row")],
    )
    return text + "\n"


def worst_in_words(worst: WorstOutcome) -> str:
    """What the headline of the worst outcome rests on, and what happens otherwise."""
    if not worst.severity:
        return ""
    if worst.in_any_case:
        return f"in any case: {worst.hazards[0].title}"
    if worst.untried:
        return f"otherwise: {worst.severity}"
    return f"if {worst.conditions}; otherwise: {worst.severity}"


def rows_of(
    release: ReleaseResults, recorded: VerdictsOnRecord, layout: Layout
) -> tuple[list[dict[str, Any]], int]:
    """The rows, and where the last one ends."""
    names = [each.id for each in strategies.CATALOGUE if release.of("time_to_first_row", each.id, "none")]
    end = charts.longest(release, names, "none")
    most = max(
        figure.median
        for name in names
        for metric in ("uss", "uss_collected")
        if (figure := release.of(metric, name, "none"))
    )
    rows: list[dict[str, Any]] = []
    top = layout.head
    for name in sorted(names, key=shares_connection):
        bar = charts.bar(release, name, "none", end)
        assert bar is not None, name
        unique, collected = (release.of(metric, name, "none") for metric in ("uss", "uss_collected"))
        worst = recorded.worst(name, release.release)
        left, segments = 0.0, []
        for part in bar.segments:
            width = layout.time_width * float(part.width) / 100
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
                "memory": unique.text() if unique else "",
                "memory_width": f"{layout.memory_width * unique.median / most:.1f}" if unique else "0",
                "collected": collected.text() if collected else "",
                "collected_width": f"{layout.memory_width * collected.median / most:.1f}"
                if collected
                else "0",
                "kept": str(worst.severity) if worst.in_any_case else worst.kept,
                "hazard": wrap(worst_in_words(worst), layout.letters, break_on_hyphens=False),
            }
        )
        below = layout.worst[1] + 36 + 13 * len(rows[-1]["hazard"])
        top += max(layout.row, below) + (APART if shares_connection(name) else 0)
    return rows, top
