"""README.md's guide to choosing a strategy: the rules, and the code of the two most common choices."""

from harness import strategies
from harness.answer import code, recommendation
from harness.answer.recommendation import FORKED, PRELOADED, Figures

SHOWN = (FORKED, PRELOADED)
"""The strategies whose code is shown; docs/strategies.md and the site have the code of all."""


def render(figures: Figures) -> str:
    """The guide as Markdown. `figures` say how long a worker must live for a slow start to pay off."""
    rules = [
        f"{number}. {rule.condition}: [`{rule.strategy}`](docs/strategies.md#{rule.strategy}). {rule.reason}"
        for number, rule in enumerate(recommendation.rules(recommendation.life(figures)), 1)
    ]
    programs = [
        f"`{name}`, as a pool of workers:\n\n```python\n{code.pool(strategies.get(name))}\n```"
        for name in SHOWN
    ]
    return "\n".join(["The first rule that matches decides:", "", *rules, "", "\n\n".join(programs)])
