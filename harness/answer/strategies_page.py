"""The page `docs/strategies.md`: every strategy, when to use it, its code and its documentation.

It is made from the catalogue, the functions that are measured, and the recorded verdicts.
"""

import importlib.util
import inspect
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from textwrap import dedent, indent

from harness import drivers, strategies
from harness.answer import recommendation, verdicts
from harness.answer.verdicts import VerdictsOnRecord
from harness.console import markdown
from harness.hazards.hazard import Hazard
from harness.strategies import Strategy
from harness.treatments import keep, leave_alone

INTRODUCTION = """\
# Strategies

A strategy is a start method together with what is done about the pool. Its code is a complete program around
the functions that are measured, written as the linked documentation recommends. Written by `poolstart pages`.
"""

IMPORTABLE = """\
The fork server must be able to import `preloaded.py`, from the current directory or `PYTHONPATH`: it
ignores a module that it cannot import, and says nothing.
"""

DEFAULT = """\
## The default series

`asv run` measures these strategies for each release.
"""

FURTHER = """\
## Further strategies

These are measured on request: `poolstart measure --strategy fork_atfork`,
`poolstart hazards --strategy fork_atfork`, or `POOLSTART_STRATEGIES=fork_atfork asv run -b further`.
"""


def render() -> str:
    """The page as Markdown. Raises PoolstartError if a record is damaged."""
    recorded = verdicts.load()
    parts = [INTRODUCTION]
    for introduction, group in ((DEFAULT, strategies.CATALOGUE), (FURTHER, strategies.FURTHER)):
        parts += [introduction, table(group, recorded), *(section(each, recorded) for each in group)]
    return "\n".join(parts)


def table(group: Iterable[Strategy], recorded: VerdictsOnRecord) -> str:
    """A row for each strategy, with a link to its section."""
    rows = [
        [
            f"[`{each.id}`](#{each.id})",
            each.title,
            str(recorded.worst(each.id, recorded.newest_release)),
            recommendation.use_when(each),
        ]
        for each in group
    ]
    return markdown.table(["strategy", "what it is", "worst outcome", "when to use it"], rows)


def section(strategy: Strategy, recorded: VerdictsOnRecord) -> str:
    """When to use a strategy, its code, and the hazards that affect it."""
    lines = [
        f'<a id="{strategy.id}"></a>\n',
        f"### {strategy.title} (`{strategy.id}`)\n",
        f"{recommendation.use_when(strategy)}\n",
        *(block(name, text) for name, text in files(strategy).items()),
    ]
    if len(files(strategy)) > 1:
        lines.append(IMPORTABLE)
    if affected := affected_by(strategy.id, recorded):
        lines.append(f"{affected}\n")
    lines.append(f"Documentation: <{strategy.docs}>\n")
    return "\n".join(lines)


def files(strategy: Strategy) -> dict[str, str]:
    """A complete program of this strategy by file name: `program.py`, and what its fork server imports."""
    preloaded = [name for name in strategy.preload if name.startswith("harness.")]
    return {
        **{f"{name.rpartition('.')[2]}.py": source(name) for name in preloaded},
        "program.py": program(strategy),
    }


def block(name: str, text: str) -> str:
    """A file as Markdown; its name is shown unless a program needs only one."""
    heading = "" if name == "program.py" else f"# {name}\n"
    return f"```python\n{heading}{text}```\n"


def program(strategy: Strategy) -> str:
    """A program of this strategy: the functions that are measured, and their calls in parent and worker."""
    functions = (
        strategy.early,
        strategy.on_engine,
        strategy.hand_over,
        strategy.before_start,
        strategy.in_worker,
    )
    shown = [each for each in functions if each not in (None, keep, leave_alone)]
    parts = [dedent(inspect.getsource(each)) for each in shown if each is not None]
    body = "\n\n".join([*parts, worker(strategy), parent(strategy)])
    return f'{imports(strategy, body)}\n\nURL = "{drivers.URL}"\n\n\n{body}'


def imports(strategy: Strategy, body: str) -> str:
    """The imports that a program needs besides those of its functions."""
    standard = ["import multiprocessing", *(["from typing import Any"] if "Any" in body else [])]
    others = ["from sqlalchemy import create_engine, text"]
    others += ["from sqlalchemy.engine import Engine"] if re.search(r"\bEngine\b", body) else []
    others += [f"from sqlalchemy.pool import {strategy.pool}"] if strategy.pool else []
    return "\n".join([*standard, "", *others])


def source(module: str) -> str:
    """The text of a module that only a fork server imports."""
    spec = importlib.util.find_spec(module)
    assert spec
    assert spec.origin
    return Path(spec.origin).read_text()


def parent(strategy: Strategy) -> str:
    """The part of the program that the parent runs."""
    lines = [f"{strategy.early.__name__}()"] if strategy.early else []
    lines.append(f'context = multiprocessing.get_context("{strategy.start_method}")')
    if strategy.preload:
        names = ", ".join(f'"{name.removeprefix("harness.")}"' for name in strategy.preload)
        lines.append(f"context.set_forkserver_preload([{names}])")
    options = [f", poolclass={strategy.pool}"] if strategy.pool else []
    options += [", pool_pre_ping=True"] if strategy.pre_ping else []
    lines.append(f"engine = create_engine(URL{''.join(options)})")
    if strategy.on_engine:
        lines.append(f"{strategy.on_engine.__name__}(engine)")
    argument = "engine" if strategy.hands_engine else "URL"
    if strategy.hand_over:
        argument = f"{strategy.hand_over.__name__}(engine, URL)"
    if strategy.before_start is not leave_alone:
        lines.append(f"{strategy.before_start.__name__}(engine)")
    lines += [
        f"process = context.Process(target=work, args=({argument},))",
        "process.start()",
        "process.join()",
    ]
    return 'if __name__ == "__main__":\n' + indent("\n".join(lines), "    ") + "\n"


def worker(strategy: Strategy) -> str:
    """The part of the program that the worker runs."""
    argument = "engine" if strategy.hands_engine else "url"
    lines = [f"def work({argument}):"]
    if strategy.in_worker is not keep:
        lines.append(f"    engine = {strategy.in_worker.__name__}({argument})")
    elif argument != "engine":
        lines = ["def work(engine):"]
    lines += [
        "    with engine.connect() as connection:",
        "        print(connection.execute(text(\"select 'a row'\")).scalar())",
    ]
    return "\n".join(lines) + "\n"


def affected_by(strategy: str, recorded: VerdictsOnRecord) -> str:
    """Which hazards affect a strategy in the newest recorded release, by condition; empty without any."""
    worst = recorded.worst(strategy, recorded.newest_release)
    if not worst.counted:
        return ""
    if not worst.affecting:
        return f"Affected by {worst.count} hazards."
    rows = [
        [f"**{condition.label}**: {condition.sentence}", listed(hazards)]
        for condition, hazards in worst.excluded
    ]
    if worst.untried:
        rows.append(["a condition that was not tried", listed(worst.untried)])
    rows.append(["**in any case**", listed(worst.remaining) if worst.remaining else "nothing"])
    return (
        f"Worst outcome: {worst}. Affected by {worst.count} hazards:\n\n"
        + markdown.table(["unless", "what happens"], rows).rstrip()
    )


def listed(hazards: Iterable[Hazard]) -> str:
    """The hazards with links, by severity; they come the worst first."""
    return "; ".join(
        f"{severity}: {', '.join(f'[{hazard.id}](hazards.md#{hazard.id})' for hazard in group)}"
        for severity, group in groupby(hazards, key=lambda hazard: hazard.severity)
    )
