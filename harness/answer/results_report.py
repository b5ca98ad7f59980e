"""Measured results as tables: docs/results.md, and the terminal."""

from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

from packaging.version import Version

from harness import strategies
from harness.answer import verdicts
from harness.answer.figures import ranking, sentences
from harness.answer.figures.results import DATAFRAME_TITLES, ReleaseResults
from harness.console import markdown, output, terminal
from harness.curves import curve
from harness.curves.sections import work
from harness.hazards import catalogue, expected
from harness.lifecycles import metrics
from harness.lifecycles.cell import DATAFRAMES
from harness.lifecycles.intervals import caption
from harness.lifecycles.metrics import Table
from harness.processes.errors import print_reasons

HAZARD_COLUMNS = ("worst outcome", "affected by hazards")
"""Columns of the recorded verdicts."""

MEANS_TITLE = "The means in README.md"

UNFORCED_TITLE = "How often it went wrong without being provoked"


def header() -> list[str]:
    return ["strategy", *HAZARD_COLUMNS, *(metric.column for metric in metrics.shown_in(Table.RESULTS))]


def rows(results: ReleaseResults, dataframe: str) -> Iterator[list[str]]:
    """A row of texts for each measured strategy, under `header`."""
    recorded = verdicts.load(results.environment["python"])
    for name in strategies.IDS:
        figures = [
            results.figures.get((metric.id, name, dataframe)) for metric in metrics.shown_in(Table.RESULTS)
        ]
        missing = results.missing(name, dataframe)
        if any(figures) or missing == "failed":
            worst = recorded.worst(name, results.release)
            texts = (f"{each.text()} {each.plus_minus()}".rstrip() if each else missing for each in figures)
            yield [name, str(worst), worst.count, *texts]


def page(results: ReleaseResults) -> str:
    """`docs/results.md`: a table for each DataFrame setting, and what the means of the answer say."""
    parts = ["# Results\n", "Written by `poolstart pages`.\n", *warning(results)]
    for dataframe in DATAFRAMES:
        cells = [[f"`{name}`", *texts] for name, *texts in rows(results, dataframe)]
        if not cells:
            continue
        parts += [f"**{DATAFRAME_TITLES[dataframe]}**\n", markdown.table(header(), cells, figures=3)]
    columns = metrics.summary_columns()
    same = ranking.alike_sentence(columns, results.estimate, strategies.IDS)
    found = sentences.beside_the_rules(results.estimate, work.break_even(curve.load()))
    notes = (sentence.replace("docs/curves.md", "[curves.md](curves.md)") for sentence in (same, *found))
    return "\n".join(
        [
            *parts,
            f"{described(results)}\n",
            definitions(),
            f"**{MEANS_TITLE}**\n",
            f"{answer_caption(results, columns)}\n",
            "".join(f"- {sentence}\n" for sentence in notes if sentence),
            *unforced(results),
        ]
    )


def described(results: ReleaseResults) -> str:
    """The caption of the full tables."""
    return f"Medians of this release. {caption(metrics.shown_in(Table.RESULTS))} {results.conditions}."


def warning(results: ReleaseResults) -> list[str]:
    """Paragraphs to put before the figures: that a run failed, and that the machine was busy."""
    failed = [f"{results.failed[0].upper()}{results.failed[1:]}.\n"] if results.failed else []
    return [*failed, *([f"{results.warning}\n"] if results.busy else [])]


def unforced(results: ReleaseResults) -> list[str]:
    """A table of how often failures happened without being forced; empty if that is not on record."""
    table = expected.load().get(expected.series(results.release))
    if not table or not table.repeated:
        return []
    repeated = table.repeated
    cells = [
        [figure.title, *(figure.format(rates.get(name)) for name in strategies.IDS)]
        for hazard in catalogue.load_all()
        for figure in hazard.figures
        if (rates := repeated.unforced.get(figure.id))
    ]
    return [
        f"**{UNFORCED_TITLE}**\n",
        markdown.table(["what happened", *(f"`{name}`" for name in strategies.IDS)], cells),
        f"SQLAlchemy {repeated.provenance.release}, {repeated.provenance.day}{repeated.provenance.by}.\n",
    ]


def answer_caption(results: ReleaseResults, columns: Sequence[metrics.SummaryColumn]) -> str:
    """The caption of the answer: what its figures are, and how far others differ, in two sentences."""
    return f"{means(results, columns)} {results.differences.sentence(column.metric for column in columns)}"


def means(results: ReleaseResults, columns: Sequence[metrics.SummaryColumn]) -> str:
    """A sentence that says over which releases and parents the figures of the answer are means."""
    shown = [
        found
        for column in columns
        for name in strategies.IDS
        if (found := results.levels.get((column.metric.id, name, column.dataframe)))
    ]
    if not shown:
        return ""
    parents = " to ".join(dict.fromkeys(str(choose(each.parents for each in shown)) for choose in (min, max)))
    since = {choose((each.first for each in shown), key=Version) for choose in (min, max)}
    first = " or ".join(sorted(since, key=Version))
    return (
        f"Figures are geometric means over {parents} parents, to two digits: those of all releases since the"
        f" last one that changed the figure ({first} to {results.release})."
    )


def definitions() -> str:
    """A line for each metric of `poolstart measure`: its title, and from when to when it is measured."""
    return "".join(f"- *{metric.heading}*: {metric.meaning}\n" for metric in metrics.shown_in(Table.TERMINAL))


def choice(measured: Sequence[ReleaseResults], everything: bool = False) -> str:
    """A sentence that says which of several results are shown, and how to see the others."""
    shown, *others = measured
    if everything:
        return f"{len(measured)} series, this machine's and the embedded server's first."
    whose = "this machine" if shown.own else "another machine; `asv run` measures this one"
    sentence = f"{shown.name} ({whose})."
    if others:
        sentence += f" Also on record: {'; '.join(each.name for each in others)}. `--all` shows all."
    return sentence


def print_results(measured: Sequence[ReleaseResults], form: str, everything: bool = False) -> None:
    """Print the first of the results, or all of them, as `table`, `csv`, `json` or `markdown`."""
    sentence = choice(measured, everything)
    shown = measured if everything else measured[:1]

    def show() -> None:
        console = terminal.output()
        # Read them before anything is printed, so that a damaged record gives one line.
        recorded = [verdicts.load(results.environment["python"]) for results in shown]
        terminal.print_text(console, sentence)
        for results, of_its_python in zip(shown, recorded, strict=True):
            console.print()
            if everything:
                terminal.print_heading(console, results.name)
            for line in warning(results):
                terminal.print_text(console, line.strip())
            print_tables(results, of_its_python)

    content = {
        "reports": [
            {
                "busy": results.busy,
                "failed": results.failed,
                "rejected": dict(results.rejected),
                "sqlalchemy": results.release,
                "date": results.date and results.date.isoformat(),
                "machine": results.machine,
                "environment": results.environment,
            }
            for results in shown
        ],
        "figures": list(csv_rows(shown)),
    }
    if form == "csv":
        for results in shown:
            print_reasons([results.failed] if results.failed else [], busy=results.busy)
    output.write(form, content["figures"], show, content)


def csv_rows(measured: Sequence[ReleaseResults]) -> Iterator[dict[str, Any]]:
    """A row for each figure: the median of its samples, its 99 % interval, and their quartiles."""
    for results in measured:
        for dataframe in DATAFRAMES:
            for strategy in strategies.IDS:
                for metric in metrics.shown_in(Table.RESULTS):
                    if figure := results.figures.get((metric.id, strategy, dataframe)):
                        q25, q75 = figure.quartiles or (None, None)
                        yield {
                            "sqlalchemy": results.release,
                            "server": results.environment["postgres"],
                            "machine": results.machine["machine"],
                            "python": results.environment["python"],
                            "date": f"{results.date:%Y-%m-%d}",
                            "strategy": strategy,
                            "dataframe": dataframe,
                            "metric": metric.id,
                            "unit": metric.unit,
                            "median": figure.median,
                            "low": figure.low if isfinite(figure.low) else None,
                            "high": figure.high if isfinite(figure.high) else None,
                            "q25": q25,
                            "q75": q75,
                        }


def print_tables(results: ReleaseResults, recorded: verdicts.VerdictsOnRecord) -> None:
    """Print a table for each DataFrame setting, and the worst outcome of each strategy."""
    console = terminal.output()
    # The verdicts are sentences here, below the figures.
    kept = [column for column, title in enumerate(header()) if title not in HAZARD_COLUMNS]
    titles = [terminal.fold(header()[column]) for column in kept]
    names: dict[str, None] = {}
    for dataframe in DATAFRAMES:
        cells = list(rows(results, dataframe))
        names |= dict.fromkeys(row[0] for row in cells)
        if not cells:
            continue
        shown = [[row[column] for column in kept] for row in cells]
        terminal.print_table(console, titles, shown, title=DATAFRAME_TITLES[dataframe])
    python = recorded.python_of(results.release)
    terminal.print_heading(console, f"Worst outcome, from the recorded verdicts of Python {python}")
    terminal.print_pairs(console, [(name, recorded.worst(name, results.release).sentence) for name in names])
    console.print()
    terminal.print_text(console, described(results))
    for why in dict.fromkeys(results.rejected.values()):
        terminal.print_text(console, f"failed: {why}")
