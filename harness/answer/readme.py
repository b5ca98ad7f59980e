"""README.md's regions: the rules, the code of the two most common choices, and the table."""

from harness import strategies
from harness.answer import code, recommendation, results_report, verdicts
from harness.answer.figures import sentences
from harness.answer.figures.results import ReleaseResults
from harness.answer.recommendation import FORKED, PRELOADED
from harness.console import markdown
from harness.lifecycles import metrics

SHOWN = (PRELOADED, FORKED)
"""The strategies whose code is shown; docs/strategies.md and the site have the code of all."""

CONDITIONS_LINK = "[each explained](docs/strategies.md#conditions)"


def guide(results: ReleaseResults) -> str:
    """The rules and two programs. The results decide the lifetime from which a slow start pays off."""
    rules = [
        f"{number}. {rule.in_order}: [`{rule.strategy}`](docs/strategies.md#{rule.strategy})."
        for number, rule in enumerate(recommendation.rules(sentences.life(results.estimate)), 1)
    ]
    conditions = f"Fork's conditions ({CONDITIONS_LINK}): {recommendation.conditions_of_fork()}."
    parts = [
        f"In doubt, take `{PRELOADED}`. Otherwise the first rule that matches decides:",
        "\n".join(rules),
        conditions,
        *(f"`{name}`:\n\n```python\n{code.pool(strategies.get(name))}\n```" for name in SHOWN),
    ]
    return "\n\n".join(parts)


def answer(results: ReleaseResults) -> str:
    """A table that fits a screen, with a caption."""
    recorded, columns = verdicts.load(results.environment["python"]), metrics.summary_columns()
    cells = [
        [
            f"`{name}`",
            worst.kept,
            str(worst.severity or "nothing") if worst.counted else "not recorded",
            *(results.answer(name, column.metric, column.dataframe) for column in columns),
        ]
        for name in strategies.IDS
        for worst in [recorded.worst(name, results.release)]
    ]
    titles = ["strategy", "worst if its conditions hold", "worst otherwise"]
    return "\n".join(
        [
            *results_report.warning(results),
            markdown.table([*titles, *(column.title for column in columns)], cells, figures=3),
            f"{results_report.means(results, columns)} {results.conditions}.",
            "[docs/results.md](docs/results.md) has all figures, their definitions, and how far those of"
            " other runs, days and machines differ.",
        ]
    )
