"""The answer: the strategies in the newest release, with times, memory and the worst provoked failure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness import strategies
from harness.answer import recommendation, results_report
from harness.answer.figures import ranking, sentences
from harness.answer.figures.results import DATAFRAME_TITLES, Figure, ReleaseResults
from harness.answer.verdicts import SEVERITIES, VerdictsOnRecord, WorstOutcome, shares_connection
from harness.hazards.hazard import Severity
from harness.lifecycles import intervals, metrics
from harness.lifecycles.metrics import SummaryColumn
from harness.site import charts
from harness.site.context import File, TestBedContext

SECTION, ADDRESS, PER_TEST_BED = "Answer", "index.html", True

SHOWN = ("time_to_first_row", "second_query", "uss", "uss_collected")
"""The metrics of the table."""


@dataclass(frozen=True)
class AnswerRow:
    """A strategy in the table."""

    id: str
    dataframe: str
    title: str
    bar: charts.Bar | None
    second: Figure | None
    unique: Figure | None
    collected: Figure | None
    unique_width: str
    collected_width: str
    worst: WorstOutcome

    @property
    def rank(self) -> int | None:
        """A key for sorting, higher for a worse outcome, first with conditions kept; None if unknown."""
        if not self.worst.counted:
            return None
        left = [hazard.severity for hazard in (*self.worst.untried, *self.worst.remaining)]
        return badness(left) * (len(SEVERITIES) + 1) + badness([self.worst.severity])


@dataclass(frozen=True)
class Choice:
    """A rule of the recommendation, with the cost of its strategy."""

    condition: str
    strategy: str
    first_rows: list[str]
    """The time to the first row with each DataFrame setting, in milliseconds, if it was measured."""


@dataclass(frozen=True)
class AnswerTable:
    """The table of one DataFrame setting of one release."""

    dataframe: str
    title: str
    caption: str
    """An explanation of its figures."""
    notes: list[str]
    """Conclusions from the figures, in Markdown."""
    rows: list[AnswerRow]
    apart: list[AnswerRow]
    """Strategies that share a connection, which are never recommended."""


def pages(context: TestBedContext) -> Iterator[File]:
    newest = context.site.answer(context.bed)
    yield context.page(
        ADDRESS,
        "answer.html.j2",
        SECTION,
        title="How should a Python program start workers?",
        release=newest,
        tables=tables(context, newest),
        fork=recommendation.conditions_of_fork(),
        choices=choices(newest),
        instead=recommendation.SPAWN_INSTEAD,
        tried=context.tried,
    )


def choices(release: ReleaseResults) -> list[Choice]:
    """The rules in the order in which they decide."""

    def first_row(strategy: str, dataframe: str) -> str:
        figure = release.of("time_to_first_row", strategy, dataframe)
        return sentences.milliseconds(figure.median) if figure else "not measured"

    return [
        Choice(rule.in_order, rule.strategy, [first_row(rule.strategy, each) for each in release.dataframes])
        for rule in recommendation.rules(sentences.life(release.estimate))
    ]


def tables(context: TestBedContext, release: ReleaseResults) -> list[AnswerTable]:
    """A table for each DataFrame setting that was measured."""
    return [answer_table(context, release, dataframe) for dataframe in release.dataframes]


def answer_table(context: TestBedContext, release: ReleaseResults, dataframe: str) -> AnswerTable:
    names = [
        name for name in context.strategies if any(key[1:] == (name, dataframe) for key in release.figures)
    ]
    alike = ranking.alike_sentence(columns(dataframe), release.estimate, names)
    beside = sentences.beside_the_rules(
        lambda strategy, metric: release.estimate(strategy, metric, dataframe), context.site.break_even
    )
    found = rows(release, context.verdicts, names, dataframe)
    return AnswerTable(
        dataframe,
        DATAFRAME_TITLES.get(dataframe, dataframe),
        caption(release, dataframe),
        [each for each in (alike, *beside) if each],
        [each for each in found if not shares_connection(each.id)],
        [each for each in found if shares_connection(each.id)],
    )


def columns(dataframe: str) -> list[SummaryColumn]:
    """The columns of the table of a DataFrame setting."""
    return [SummaryColumn(each.column, each, dataframe) for each in map(metrics.get, SHOWN)]


def caption(release: ReleaseResults, dataframe: str) -> str:
    """The caption of the answer's figures, or of those of a single run if there is no answer."""
    if not release.levels:
        return intervals.caption(map(metrics.get, SHOWN))
    return results_report.answer_caption(release, columns(dataframe))


def rows(
    release: ReleaseResults, recorded: VerdictsOnRecord, names: Sequence[str], dataframe: str
) -> list[AnswerRow]:
    """A row for each of these strategies; the bars of a column have the same axis."""
    longest = charts.longest(release, names, dataframe)
    memory = [release.of(metric, name, dataframe) for name in names for metric in ("uss", "uss_collected")]
    largest = max((figure.median for figure in memory if figure), default=0.0) or 1.0

    def row(name: str) -> AnswerRow:
        unique, collected = (release.of(metric, name, dataframe) for metric in ("uss", "uss_collected"))
        return AnswerRow(
            id=name,
            dataframe=dataframe,
            title=title(name),
            bar=charts.bar(release, name, dataframe, longest),
            second=release.of("second_query", name, dataframe),
            unique=unique,
            collected=collected,
            unique_width=charts.percent(unique.median / largest) if unique else "0",
            collected_width=charts.percent(collected.median / largest) if collected else "0",
            worst=recorded.worst(name, release.release),
        )

    return [row(name) for name in names]


def badness(severities: Iterable[Severity | None]) -> int:
    """A number for the worst of these severities: 1 for a cost, more for worse ones; 0 without any."""
    return max((len(SEVERITIES) - SEVERITIES.index(each) for each in severities if each), default=0)


def title(strategy: str) -> str:
    known = [each.title for each in strategies.CATALOGUE if each.id == strategy]
    return known[0] if known else "not in the catalogue of this version"
