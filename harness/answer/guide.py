"""README.md's guide to choosing a strategy: the rules, and the code of the two most common choices."""

from harness import strategies
from harness.answer import code, recommendation
from harness.answer.ranking import Figures
from harness.answer.recommendation import FORKED, PRELOADED

SHOWN = (FORKED, PRELOADED)
"""The strategies whose code is shown; docs/strategies.md and the site have the code of all."""

POOLER_LINK = "[docs/lookalikes.md](docs/lookalikes.md#pooler_session)"


def render(figures: Figures) -> str:
    """The guide as Markdown. `figures` say how long a worker must live for a slow start to pay off."""
    rules = [
        f"{number}. {rule.in_order}: [`{rule.strategy}`](docs/strategies.md#{rule.strategy}). {rule.reason}"
        for number, rule in enumerate(recommendation.rules(recommendation.life(figures)), 1)
    ]
    programs = [
        f"`{name}`, as a pool of workers:\n\n```python\n{code.pool(strategies.get(name))}\n```"
        for name in SHOWN
    ]
    conditions = [
        f"- *{condition.label}*: {condition.sentence}" for condition in recommendation.CONDITIONS_OF_FORK
    ]
    parts = [
        ["Fork's conditions, each proven by trials ([docs/hazards.md](docs/hazards.md)):"],
        conditions,
        ["The first rule that matches decides:"],
        rules,
        [recommendation.SPAWN_INSTEAD],
        [
            recommendation.POOLER.replace("docs/lookalikes.md#pooler_session", POOLER_LINK).replace(
                "docs/poolers.md", "[docs/poolers.md](docs/poolers.md)"
            )
        ],
        [recommendation.ENGINE_FUNCTION],
        ["\n\n".join(programs)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts)
