"""The quick answer on one screen: a table, the worst outcomes, the recommendation, and further commands."""

from functools import partial
from statistics import geometric_mean

from harness import strategies
from harness.answer import verdicts
from harness.answer.figures import ranking, sentences
from harness.answer.figures.ranking import MedianRange
from harness.console import markdown, terminal
from harness.console.numbers import two_digits
from harness.curves import curve
from harness.curves.sections import work
from harness.lifecycles import intervals, metrics, report
from harness.lifecycles.blocks import MeasuredRun
from harness.lifecycles.cell import DATAFRAMES, Cell
from harness.lifecycles.profile import Profile
from harness.lifecycles.report import heading, remarks, star
from harness.processes.errors import NotApplicable, Rejected
from harness.system import busy

NEXT_COMMANDS = (
    ("poolstart hazards wrong_answer", "one failure, step by step"),
    ("poolstart strategies fork_dispose", "its conditions and its code"),
    ("poolstart measure", "more precise figures, in two minutes"),
    ("poolstart results", "the recorded figures"),
    ("poolstart --help", "all commands, each with an example"),
)


def write(measured: MeasuredRun, profile: Profile, form: str, server: str) -> None:
    """Print the answer as `table` or `markdown`, or its figures as `json` or `csv`."""
    settings = DATAFRAMES if large(measured) else DATAFRAMES[:1]
    answer = partial(print_answer, measured, profile, server)
    report.write(measured, profile.strategies, settings, profile, form, answer=answer)


def print_answer(measured: MeasuredRun, profile: Profile, server: str = "") -> None:
    """Print the measured figures, and what they mean for the choice; `server` is the server's title."""
    console = terminal.output()
    if measured.busy:
        terminal.print_text(console, busy.sentence(measured.busy))
    recorded = verdicts.load(measured.python)
    outcomes = {name: recorded.worst(name, measured.release) for name in order(measured, profile)}
    columns = [
        column for column in metrics.summary_columns() if column.dataframe == "none" or large(measured)
    ]
    rows: list[list[terminal.Cell]] = [
        [
            strategies.label(name) + star(name),
            worst.kept,
            *(figure(measured, Cell(name, column.dataframe), column.metric.id) for column in columns),
        ]
        for name, worst in outcomes.items()
    ]
    header = [
        "strategy",
        terminal.fold("worst, conditions kept"),
        *(terminal.fold(column.title) for column in columns),
    ]
    terminal.print_table(console, header, rows, left=2)
    terminal.print_text(console, conditions(measured, profile, server))
    figures = partial(estimate, measured)
    if alike := ranking.alike_sentence(columns, figures, outcomes):
        terminal.print_text(console, markdown.plain(alike))
    for line in remarks(measured):
        terminal.print_text(console, line)
    console.print()
    python = recorded.python_of(measured.release)
    terminal.print_heading(console, f"Worst outcome, from the recorded verdicts of Python {python}")
    terminal.print_pairs(console, [(name, worst.sentence) for name, worst in outcomes.items()])
    beside = sentences.beside_the_rules(figures, work.break_even(curve.load()))
    if advice := [*sentences.choice(figures), *beside]:
        console.print()
        terminal.print_heading(console, "What to choose")
        for sentence in advice:
            terminal.print_text(console, markdown.plain(sentence))
    console.print()
    terminal.print_heading(console, "Next, each with `uv run`")
    terminal.print_pairs(console, NEXT_COMMANDS)


def large(measured: MeasuredRun) -> bool:
    """Whether any cell with a DataFrame was tried."""
    return any(id.endswith(".large") for block in measured.blocks for id in block.samples)


def order(measured: MeasuredRun, profile: Profile) -> list[str]:
    """The strategies by their time to the first row; those that are never recommended come last.

    If the machine was busy, they are in the order of the profile.
    """

    def key(name: str) -> tuple[bool, float]:
        first_row = estimate(measured, name, "time_to_first_row")
        return not strategies.get(name).safe, first_row.median if first_row else float("inf")

    return sorted(profile.strategies, key=key)


def figure(measured: MeasuredRun, cell: Cell, metric: str) -> str:
    """The geometric mean over the parents in ms or MiB to two digits, or the reason why there is none."""
    return report.figure(
        measured, cell, metric, lambda values, factor: two_digits(geometric_mean(values) * factor)
    )


def estimate(
    measured: MeasuredRun, strategy: str, metric: str, dataframe: str = "none"
) -> MedianRange | None:
    """The geometric mean over the parents, and the interval of their median.

    None if it was not measured, or on a busy machine, where it means nothing.
    """
    if measured.busy:
        return None
    try:
        values = measured.samples(Cell(strategy, dataframe), metric)
    except (NotApplicable, Rejected):
        return None
    return MedianRange(geometric_mean(values), *intervals.of_median(values)) if values else None


def conditions(measured: MeasuredRun, profile: Profile, server: str) -> str:
    """The number of measured parents and the versions, in sentences."""
    parents = max(
        (len(measured.samples(cell, "startup")) for cell in measured_cells(measured, profile)), default=0
    )
    shown = [column.metric for column in metrics.summary_columns()]
    of = "parent" if parents == 1 else "parents"
    frame = f" The DataFrame has {profile.dataframe_mib} MiB." if large(measured) else ""
    return (
        f"Geometric means over {parents} {of}, to two digits. {intervals.another_run(shown)}{frame} "
        f"{heading(measured, server)}. "
        "* never use it: parent and worker share one connection."
    )


def measured_cells(measured: MeasuredRun, profile: Profile) -> list[Cell]:
    """The cells without a DataFrame that have figures."""
    cells = [Cell(name, "none") for name in profile.strategies]
    return [
        cell for cell in cells if cell.id not in measured.rejected and cell.id not in measured.not_applicable
    ]
