"""README.md's picture, the answer of the newest release: light and dark, for wide and narrow screens."""

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from harness import strategies
from harness.answer import verdicts
from harness.answer.figures.results import ReleaseResults
from harness.answer.verdicts import VerdictsOnRecord, WorstOutcome, shares_connection
from harness.site.context import environment
from harness.site.pages import answer

Point = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """The positions of the picture's parts; those in a row are relative to its top left corner."""

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
    """The width of the longest bar, like `memory_width`."""
    memory_width: float
    letters: int
    """The number of letters in a line below the worst outcome."""
    after: str
    """The text after the memory after a garbage collection."""
    worst_label: str
    """The text before the worst outcome."""
    foot: int
    """The number of letters in a line of the conditions."""


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
"""The layout for a phone, which shows the picture at its own size."""

APART, LINE = 22, 15


def render(found: ReleaseResults, layout: Layout = WIDE) -> str:
    """The picture as SVG. Raises PoolstartError if a record is damaged."""
    rows, end = rows_of(found, verdicts.load(), layout)
    e = found.environment
    lines = wrap(
        f"SQLAlchemy {found.release}, nothing large in the parent; {found.machine['machine']},"
        f" {e['postgres']}, Python {e['python']}. Means over the releases since the last change.",
        layout.foot,
    )
    template = environment().get_template("answer.svg.j2")
    text: str = template.render(
        rows=rows,
        height=end + LINE * (len(lines) + 1),
        layout=layout,
        release=found.release,
        conditions=lines,
        legend=[("startup", "startup"), ("engine", "engine"), ("first_row", "first row")],
    )
    return text + "\n"


def worst_in_words(worst: WorstOutcome) -> str:
    """The text below the worst outcome: the conditions that it depends on, and what happens otherwise."""
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
    names = [name for name in strategies.IDS if release.of("time_to_first_row", name)]
    rows: list[dict[str, Any]] = []
    top = layout.head
    for row in answer.rows(release, recorded, sorted(names, key=shares_connection), "none"):
        apart = shares_connection(row.id)
        left, segments = 0.0, []
        for part in row.bar.segments if row.bar else ():
            width = layout.time_width * float(part.width) / 100
            segments.append({"left": f"{left:.1f}", "width": f"{width:.1f}", "phase": part.phase})
            left += width
        rows.append(
            {
                "row": row,
                "top": top,
                "apart": apart,
                "method": strategies.get(row.id).start_method,
                "segments": segments,
                "kept": str(row.worst.severity) if row.worst.in_any_case else row.worst.kept,
                "hazard": wrap(worst_in_words(row.worst), layout.letters, break_on_hyphens=False),
            }
        )
        below = layout.worst[1] + 36 + 13 * len(rows[-1]["hazard"])
        top += max(layout.row, below) + (APART if apart else 0)
    return rows, top
