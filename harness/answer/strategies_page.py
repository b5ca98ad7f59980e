"""The page `docs/strategies.md`: every strategy, when to choose it, its code and its documentation.

Made of the catalogue, of the very functions that are measured, and of the recorded verdicts.
"""

import importlib.util
import inspect
from collections.abc import Iterable
from pathlib import Path
from textwrap import dedent

from harness import strategies
from harness.answer import recommendation, verdicts
from harness.console import markdown
from harness.hazards import catalogue
from harness.strategies import Strategy
from harness.treatments import keep, leave_alone

INTRODUCTION = """\
# Strategies

A strategy is a start method together with what is done about the pool. The code is the code that is measured,
as the linked documentation has it. Written by `poolstart pages`.
"""

DEFAULT = """\
## The default series

`asv run` measures these, release by release.
"""

FURTHER = """\
## By name

Measured where they are asked for: `poolstart measure --strategy fork_atfork`,
`poolstart hazards --strategy fork_atfork`, or `POOLSTART_STRATEGIES=fork_atfork asv run -b further`.
"""


def render() -> str:
    parts = [INTRODUCTION]
    for introduction, group in ((DEFAULT, strategies.CATALOGUE), (FURTHER, strategies.FURTHER)):
        parts += [introduction, table(group, "#"), *map(section, group)]
    return "\n".join(parts)


def table(group: Iterable[Strategy], page: str) -> str:
    """One row a strategy, with links to its section; `page` is what comes before the section's name."""
    recorded = verdicts.load()
    rows = [
        [
            f"[`{each.id}`]({page}{each.id})",
            each.title,
            str(recorded.worst(each.id, recorded.newest_release)),
            recommendation.use_when(each),
        ]
        for each in group
    ]
    return markdown.table(["strategy", "what it is", "worst that was provoked", "when to use it"], rows)


def section(strategy: Strategy) -> str:
    lines = [
        f'<a id="{strategy.id}"></a>\n',
        f"### {strategy.title} (`{strategy.id}`)\n",
        f"{recommendation.use_when(strategy)}\n",
        f"```python\n{program(strategy)}```\n",
    ]
    if affected := affected_by(strategy.id):
        lines.append(f"{affected}\n")
    lines.append(f"Documentation: <{strategy.docs}>\n")
    return "\n".join(lines)


def program(strategy: Strategy) -> str:
    """What a program of this strategy contains: the functions that are measured, and who calls them when."""
    functions = (
        strategy.early,
        strategy.on_engine,
        strategy.hand_over,
        strategy.before_start,
        strategy.in_worker,
    )
    shown = [each for each in functions if each not in (None, keep, leave_alone)]
    modules = [name for name in strategy.preload if name.startswith("harness.")]
    parts = [f"# {name.rpartition('.')[2]}.py\n{source(name)}" for name in modules]
    parts += [dedent(inspect.getsource(each)) for each in shown if each is not None]
    return "\n\n".join([*parts, parent(strategy), worker(strategy)])


def source(module: str) -> str:
    """The text of a module that is imported nowhere but in a fork server."""
    found = importlib.util.find_spec(module)
    assert found
    assert found.origin
    return Path(found.origin).read_text()


def parent(strategy: Strategy) -> str:
    lines = ["# in the parent"]
    if strategy.early:
        lines.append(f"{strategy.early.__name__}()")
    if strategy.preload:
        names = [name.removeprefix("harness.") for name in strategy.preload]
        lines.append(f"multiprocessing.set_forkserver_preload({names})".replace("'", '"'))
    options = [f", poolclass={strategy.pool}"] if strategy.pool else []
    options += [", pool_pre_ping=True"] if strategy.pre_ping else []
    lines.append(f"engine = create_engine(url{''.join(options)})")
    if strategy.on_engine:
        lines.append(f"{strategy.on_engine.__name__}(engine)")
    handed = "engine" if strategy.hands_engine else "url"
    if strategy.hand_over:
        lines.append(f"handed = {strategy.hand_over.__name__}(engine, url)")
        handed = "handed"
    if strategy.before_start is not leave_alone:
        lines.append(f"{strategy.before_start.__name__}(engine)")
    context = f'multiprocessing.get_context("{strategy.start_method}")'
    lines.append(f"{context}.Process(target=work, args=({handed},)).start()")
    return "\n".join(lines) + "\n"


def worker(strategy: Strategy) -> str:
    first = (
        "engine = handed" if strategy.in_worker is keep else f"engine = {strategy.in_worker.__name__}(handed)"
    )
    return f"def work(handed):\n    {first}\n    ...\n"


def affected_by(strategy: str) -> str:
    """Which hazards affect a strategy in the newest recorded release; empty if none was tried."""
    recorded = verdicts.load()
    worst = recorded.worst(strategy, recorded.newest_release)
    if not worst.counted:
        return ""
    affecting = {hazard.id for hazard in recorded.affecting(strategy, recorded.newest_release)}
    links = ", ".join(f"[{name}](hazards.md#{name})" for name in catalogue.IDS if name in affecting)
    return f"Affected by {worst.count} hazards{f': {links}' if links else ''}."
