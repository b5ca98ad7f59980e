"""The programs of docs/strategies.md and docs/sever.md: complete, around the functions that are measured."""

import importlib.util
import inspect
import re
from pathlib import Path
from textwrap import dedent, indent

from harness import drivers, strategies
from harness.answer import recommendation
from harness.strategies import Strategy
from harness.treatments import keep, leave_alone, sever_in_every_child


def files(strategy: Strategy) -> dict[str, str]:
    """A complete program of this strategy by file name: `program.py` and the modules that it preloads."""
    preloaded = [name for name in strategy.preload if name.startswith("harness.")]
    return {
        **{f"{name.rpartition('.')[2]}.py": source(name) for name in preloaded},
        "program.py": program(strategy),
    }


def block(name: str, text: str) -> str:
    """A file as Markdown, with its name unless it is `program.py`."""
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


def severing() -> str:
    """The code of docs/sever.md: the module, and a program that uses it."""
    strategy = strategies.get(recommendation.SEVERED)
    function = dedent(inspect.getsource(sever_in_every_child))
    module = f"from typing import Any\n\nfrom sqlalchemy.engine import Engine\n\n\n{function}"
    head = "import multiprocessing\n\nfrom sqlalchemy import create_engine, text\n\n"
    head += f'from sever import sever_in_every_child\n\nURL = "{drivers.URL}"\n'
    using = "\n\n".join([head, worker(strategy), parent(strategy)])
    return f"{block('sever.py', module)}\n{block('program.py', using)}"


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
