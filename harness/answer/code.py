"""The programs of the recommended strategies: complete files to copy, which tests run as they are."""

from textwrap import indent

from harness import drivers
from harness.answer import recommendation
from harness.strategies import Strategy

RUN = """\
    with engine.connect() as connection:
        return connection.execute(text("select :task"), {"task": task}).scalar()"""
"""What a worker does: the line to replace."""

CREATED = """\
def initializer(url):
    global engine
    engine = create_engine(url)"""

INHERITED = """\
def initializer():
    engine.dispose(close=False)"""


def process(strategy: Strategy) -> str:
    """One worker."""
    first, arguments = {
        recommendation.FORKED: ("    engine.dispose(close=False)\n", '("one",)'),
        recommendation.POOLLESS: ("", '("one",)'),
    }.get(strategy.id, ("    engine = create_engine(url)\n", '(URL, "one")'))
    parameters = "task" if strategy.inherits else "url, task"
    return program(
        strategy,
        f"def worker({parameters}):\n{first}{RUN.replace('return ', 'print(')})",
        f"process = context.Process(target=worker, args={arguments})\nprocess.start()\nprocess.join()",
    )


def pool(strategy: Strategy) -> str:
    """A pool of workers."""
    initializer, arguments = {
        recommendation.FORKED: (INHERITED, ", initializer"),
        recommendation.POOLLESS: ("", ""),
    }.get(strategy.id, (CREATED, ", initializer, (URL,)"))
    return program(
        strategy,
        f"{initializer}\n\n\ndef run(task):\n{RUN}".lstrip(),
        f'with context.Pool(4{arguments}) as pool:\n    print(pool.map(run, ["one", "two", "three"]))',
    )


def program(strategy: Strategy, functions: str, main: str) -> str:
    """A complete file. `functions` are at module level, `main` is under its guard."""
    imports = "import multiprocessing\n\nfrom sqlalchemy import create_engine, text\n"
    if not strategy.pooled:
        imports += "from sqlalchemy.pool import NullPool\n"
    head = f'URL = "{drivers.URL}"\n'
    if strategy.inherits:
        pool = "" if strategy.pooled else ", poolclass=NullPool"
        head += f"engine = create_engine(URL{pool})\n"
    body = f'context = multiprocessing.get_context("{strategy.start_method}")\n{preloading(strategy)}{main}'
    return f'{imports}\n{head}\n\n{functions}\n\n\nif __name__ == "__main__":\n{indent(body, "    ")}'


def preloading(strategy: Strategy) -> str:
    """The line that makes the fork server import the driver in advance; empty for strategies without.

    It names what a program needs. The series is measured with one module less, psycopg2.extras, which takes a
    worker about a millisecond.
    """
    if not strategy.preload:
        return ""
    names = ", ".join(f'"{name}"' for name in drivers.MEASURED.preload)
    return f"context.set_forkserver_preload([{names}])\n"
