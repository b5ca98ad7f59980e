"""The answer in one screen: a table, the worst that can happen, the advice, and where to go on."""

from statistics import median

from rich.text import Text

from harness import strategies
from harness.answer import recommendation, verdicts
from harness.console import markdown, terminal
from harness.lifecycles import metrics
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.cell import Cell
from harness.lifecycles.profile import Profile
from harness.lifecycles.report import figure, over, remarks
from harness.processes.errors import NotApplicable, Rejected

GO_ON = (
    ("poolstart hazards wrong_answer", "the story of one failure"),
    ("poolstart measure", "steadier figures, in two minutes"),
    ("poolstart results", "what was measured for the record"),
    ("poolstart --help", "all commands, each with an example"),
)


def tell(measured: MeasuredRun, profile: Profile) -> None:
    console = terminal.output()
    recorded = verdicts.load()
    found = {name: recorded.worst(name, measured.release) for name in order(measured, profile)}
    columns = [
        column for column in metrics.summary_columns() if column.dataframe == "none" or large(measured)
    ]
    rows: list[list[terminal.Cell]] = [
        [
            name if strategies.get(name).safe else f"{name} *",
            str(each),
            *(figure(measured, Cell(name, column.dataframe), column.metric.id) for column in columns),
        ]
        for name, each in found.items()
    ]
    header = ["strategy", "worst outcome", *(terminal.folded(column.title) for column in columns)]
    terminal.show(console, header, rows, left=2)
    terminal.say(console, conditions(measured, profile))
    for line in remarks(measured):
        terminal.say(console, line)
    console.print()
    console.print(Text("What was provoked, by the recorded verdicts", style="bold"))
    terminal.listed(console, [(name, each.sentence) for name, each in found.items()])
    if told := recommendation.sentences(lambda name, metric: estimate(measured, name, metric)):
        console.print()
        console.print(Text("What to choose", style="bold"))
        for sentence in told:
            terminal.say(console, markdown.plain(sentence))
    console.print()
    console.print(Text("Where to go on, each by `uv run`", style="bold"))
    terminal.listed(console, GO_ON)


def large(measured: MeasuredRun) -> bool:
    """Whether any cell with a DataFrame was measured, or could not be."""
    return any(id.endswith(".large") for block in measured.blocks for id in block.samples)


def order(measured: MeasuredRun, profile: Profile) -> list[str]:
    """The fastest first row first; strategies that are never to be chosen come last, whatever they take."""

    def key(name: str) -> tuple[bool, float]:
        found = estimate(measured, name, "time_to_first_row")
        return not strategies.get(name).safe, found.median if found else float("inf")

    return sorted(profile.strategies, key=key)


def estimate(measured: MeasuredRun, strategy: str, metric: str) -> recommendation.MedianRange | None:
    """What parents without a frame say: the median of theirs, and their range."""
    try:
        values = measured.samples(Cell(strategy, "none"), metric)
    except (NotApplicable, Rejected):
        return None
    return recommendation.MedianRange(median(values), min(values), max(values)) if values else None


def conditions(measured: MeasuredRun, profile: Profile) -> str:
    parents = max((len(measured.samples(cell, "startup")) for cell in counted(measured, profile)), default=0)
    frame = f" The DataFrame is of {profile.dataframe_mib} MiB." if large(measured) else ""
    return (
        f"{over(parents)}.{frame} "
        f"SQLAlchemy {measured.release}, PostgreSQL {measured.server}. "
        "* is never to be chosen: parent and worker share one connection."
    )


def counted(measured: MeasuredRun, profile: Profile) -> list[Cell]:
    cells = [Cell(name, "none") for name in profile.strategies]
    return [
        cell for cell in cells if cell.id not in measured.rejected and cell.id not in measured.not_applicable
    ]
