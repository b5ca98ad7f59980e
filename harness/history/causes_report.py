"""An explanation in words and tables, in every form, and the steps that it does not explain."""

import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness import strategies
from harness.console import output, terminal
from harness.counts import registry
from harness.counts.observe import PHASES, START
from harness.drivers import upgrade_note
from harness.history import paired, reference, series
from harness.history.causes import GENERATIONS, Change, Explanation
from harness.history.changes import of as changes_of
from harness.lifecycles import metrics
from harness.system.environment import ROOT

WIDTH = 50
"""Of a name or statement, in characters; `--json` has all of it."""

TITLES = dict(zip(PHASES, ("the imports", "the first query", "the second query"), strict=True))


COLUMNS = ("before", "after", "strategy", "what", "name", "was", "is")
"""Of `poolstart explain BEFORE AFTER --csv`, a row a difference."""

MIN_SHARE = 0.5
"""The least part of a step that a count must account for to be its cause."""


@dataclass(frozen=True)
class MetricStep:
    """A step of one metric of one cell, in seconds or bytes."""

    metric: str
    strategy: str
    dataframe: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """Relative."""
        return self.after / self.before - 1


Levels = Callable[[str, str, str], float]
"""The level of a metric, strategy and DataFrame setting in the release before; 0 if it is not known."""


def recorded_unknown(explanations: Sequence[Explanation]) -> dict[str, list[MetricStep]]:
    """For explanations on record of one pair of releases: the steps of the recorded history that they do not
    account for, by strategy."""
    if not explanations:
        return {}
    before, after = explanations[0].before, explanations[0].after
    all_series = series.load(ROOT / "results")
    levels = {
        (one.key.metric, *one.key.parameters): one.values[before]
        for one in all_series
        if before in one.values and one.key.metric in metrics.METRICS
    }
    steps = [
        MetricStep(*change.cell, was, was * change.ratio)
        for change in changes_of(all_series, paired.load(), reference.load()).paired
        if (change.before, change.release) == (before, after) and (was := levels.get(change.cell))
    ]
    return {each.strategy: unknown(each, steps, lambda *cell: levels.get(cell, 0.0)) for each in explanations}


def unknown(explanation: Explanation, steps: Iterable[MetricStep], level: Levels) -> list[MetricStep]:
    """The steps of the explanation's strategy that nothing in it accounts for."""
    return [
        step
        for step in steps
        if step.strategy == explanation.strategy
        and not any(
            effect / (step.after - step.before) >= MIN_SHARE for effect in effects(explanation, step, level)
        )
        and not collections_moved(explanation)
    ]


def effects(explanation: Explanation, step: MetricStep, level: Levels) -> Iterator[float]:
    """How much each difference changes a metric, at most, in its unit.

    Time in proportion to what is counted: loaded code to all of a worker's start, calls, statements and round
    trips to their query. Memory by what is held, and by code.
    """
    figures = {name: (before, after) for name, before, after in explanation.figures}
    if metrics.get(step.metric).unit == "bytes":
        yield sum(after - before for _, before, after in explanation.held)
        before, after = figures.get("code_bytes", (0, 0))
        yield after - before
        return
    query = "second_query" if step.metric == "second_query" else "first_query"
    bases = {"code_bytes": "time_to_first_row"} if query == "first_query" else {}
    bases |= {f"{what}_{query}": query for what in ("calls", "statements", "round_trips")}
    for count, metric in bases.items():
        before, after = figures.get(count, (0, 0))
        if before and step.metric in (*OF_START, query):
            yield (after / before - 1) * level(metric, step.strategy, step.dataframe)


OF_START = ("startup", "engine", "first_query", "time_to_first_row", "first_worker")
"""The metrics of a worker's start, of which its first query is a part."""


def collections_moved(explanation: Explanation) -> bool:
    """Whether a collection of more than the youngest objects moved: it takes time, and copies pages."""
    return any(before[1:] != after[1:] for before, after in explanation.collections.values())


def unknown_sentence(steps: Sequence[MetricStep]) -> str:
    """Which metrics changed without a known cause, and by how much."""
    by_metric: dict[str, list[float]] = {}
    for step in steps:
        by_metric.setdefault(metrics.get(step.metric).short, []).append(step.change)
    ranges = {
        title: dict.fromkeys(f"{change * 100:+.1f} %" for change in (min(sizes), max(sizes)))
        for title, sizes in by_metric.items()
    }
    return "cause unknown: " + ", ".join(f"{title} {' to '.join(sizes)}" for title, sizes in ranges.items())


def write(explanations: Sequence[Explanation], recorded: Collection[str], form: str) -> None:
    """Print explanations of one pair of releases as `table`, `json`, `csv` or `markdown`.

    `recorded` are the strategies whose explanation is on record: those name the steps without a cause.
    """
    unknown_causes = recorded_unknown([each for each in explanations if each.strategy in recorded])
    content = {
        each.strategy: {
            **asdict(each),
            "changelog": each.changelog,
            "upgrade": upgrade_note(each.before, each.after),
            "unknown": [asdict(step) for step in unknown_causes.get(each.strategy, [])],
        }
        for each in explanations
    }

    def show_all() -> None:
        for each in explanations:
            show(each, unknown_causes.get(each.strategy, []))

    rows = (row for each in explanations for row in records(each))
    output.write(form, rows, show_all, content, COLUMNS)


def records(explanation: Explanation) -> Iterator[dict[str, Any]]:
    """A row for each difference, with the keys of `COLUMNS`."""
    pair = {"before": explanation.before, "after": explanation.after, "strategy": explanation.strategy}
    for title, changes in (("Counts", explanation.figures), *tables(explanation)):
        for name, was, now in changes:
            yield {**pair, "what": title, "name": name, "was": was, "is": now}
    for title, statements in statement_lists(explanation):
        for statement in statements:
            yield {**pair, "what": title, "name": statement, "was": "", "is": ""}


def show(explanation: Explanation, unknown_causes: Sequence[MetricStep] = ()) -> None:
    """Print the summary, and the tables that it is based on."""
    console = terminal.output()
    terminal.print_heading(console, heading(explanation))
    for text in (explanation.changelog, upgrade_note(explanation.before, explanation.after)):
        if text:
            terminal.print_text(console, text)
    for sentence in summary(explanation, unknown_causes):
        terminal.print_text(console, f"- {sentence}")
    for title, changes in tables(explanation):
        if changes:
            cells = [
                [shortened(name), f"{was:.0f}", f"{now:.0f}", f"{now - was:+.0f}"]
                for name, was, now in changes
            ]
            terminal.print_table(console, [title, "before", "after", "change"], cells)
    for title, statements in statement_lists(explanation):
        terminal.print_heading(console, title)
        for statement in statements:
            terminal.print_text(console, f"- `{textwrap.shorten(statement, WIDTH, placeholder=' ...')}`")


def heading(explanation: Explanation) -> str:
    """What is compared."""
    return (
        f"{explanation.strategy}: SQLAlchemy {explanation.after} against {explanation.before},"
        f" Python {explanation.python}"
    )


def tables(explanation: Explanation) -> Iterator[tuple[str, Sequence[Change]]]:
    """The differences in numbers, by title."""
    yield "Bytes of code by package", explanation.packages
    yield "Modules added, bytes of code", explanation.modules_added
    yield "Modules left out, bytes of code", explanation.modules_left_out
    yield "Modules changed, bytes of code", explanation.modules_changed
    for phase in PHASES:
        yield f"Calls in {TITLES[phase]}, by module", explanation.calls_by_module[phase]
        yield f"Calls in {TITLES[phase]}, by function", explanation.calls[phase]
    yield "Bytes held after the second row, by module", explanation.held


def statement_lists(explanation: Explanation) -> Iterator[tuple[str, Sequence[str]]]:
    """The statements that were added or left out, by title."""
    for change, statements in (
        ("added", explanation.statements_added),
        ("left out", explanation.statements_left_out),
    ):
        for query, texts in statements.items():
            if texts:
                yield f"Statements {change} in {TITLES[query]}", texts


def summary(explanation: Explanation, unknown_causes: Sequence[MetricStep] = ()) -> list[str]:
    """The most important changes, a sentence each; first the steps whose cause is unknown."""
    return list(sentences(explanation, unknown_causes)) or [
        "a worker does exactly the same: no count explains a step"
    ]


def sentences(explanation: Explanation, unknown_causes: Sequence[MetricStep] = ()) -> Iterator[str]:
    """The sentences of a summary; none if a worker does exactly the same."""
    if unknown_causes:
        yield unknown_sentence(unknown_causes)
    if explanation.compiled[0] != explanation.compiled[1]:
        had, has = [("without", "with")[compiled] for compiled in explanation.compiled]
        yield f"SQLAlchemy runs {has} its C extensions, {explanation.before} {had}: another program"
    figures = {name: (before, after) for name, before, after in explanation.figures}
    yield from (count.changed(*figures[count.id]) for count in registry.of_work() if count.id in figures)
    for phase in PHASES:
        if explanation.calls[phase] and f"calls_{phase}" not in figures:
            yield f"other Python calls in {TITLES[phase]} than before"
    for module, before, after in explanation.held[:2]:
        yield f"{after - before:+.0f} bytes held by {module}"
    yield from (collections(explanation, phase) for phase in explanation.collections)


def collections(explanation: Explanation, phase: str) -> str:
    """How the garbage collections of a phase changed, and whether SQLAlchemy's work there changed too."""
    changes = ", ".join(
        f"{after - before:+d} {generation}"
        for generation, before, after in zip(GENERATIONS, *explanation.collections[phase], strict=True)
        if after != before
    )
    if phase in explanation.collector_alone:
        why = "; the collector alone: SQLAlchemy's own work there did not change"
    else:
        why = ", beside other work" if explanation.work_changed(phase) else ""
    forkserver = strategies.get(explanation.strategy).start_method == "forkserver"
    where = f"{TITLES[phase]}, the fork server's included" if forkserver and phase == START else TITLES[phase]
    return f"garbage collections in {where}: {changes}{why}"


def shortened(name: str) -> str:
    """The end of a long name, which says more than its beginning."""
    return name if len(name) <= WIDTH else f"...{name[3 - WIDTH :]}"
