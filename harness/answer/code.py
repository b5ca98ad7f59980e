"""The programs of the recommended strategies: the lines to copy, which tests run as they are."""

from dataclasses import dataclass
from textwrap import indent

from harness.answer import recommendation
from harness.strategies import Strategy


@dataclass(frozen=True)
class ProgramCode:
    """The lines of a program at module level, and those under its guard."""

    module: str
    main: str

    def __str__(self) -> str:
        return f'{self.module}\n\nif __name__ == "__main__":\n{indent(self.main, "    ")}'


CREATED = """\
def initializer(url):
    global engine
    engine = create_engine(url)"""

RUN = """\
def run(task):
    with engine.connect() as connection:
        return work(connection, task)"""

INHERITED = """\
engine = create_engine(URL)

def initializer():
    engine.dispose(close=False)"""


def process(strategy: Strategy) -> ProgramCode:
    """One worker."""
    method = strategy.start_method
    match strategy.id:
        case recommendation.FORKED:
            first, arguments = "engine.dispose(close=False)", "(task,)"
        case recommendation.POOLLESS:
            first, arguments = "", "(task,)"
        case _:
            first, arguments = "engine = create_engine(url)", "(URL, task)"
    module = [f"def worker({'task' if strategy.inherits else 'url, task'}):"]
    if strategy.inherits:
        pool = ", poolclass=NullPool" if not strategy.pooled else ""
        module = [f"engine = create_engine(URL{pool})", "", *module]
    module += [f"    {first}"] if first else []
    module += ["    with engine.connect() as connection:", "        work(connection, task)"]
    return ProgramCode(
        "\n".join(module),
        preloading(strategy)
        + f'{method} = multiprocessing.get_context("{method}")\n'
        + f"{method}.Process(target=worker, args={arguments}).start()",
    )


def pool(strategy: Strategy) -> ProgramCode:
    """A pool of workers."""
    method = strategy.start_method
    match strategy.id:
        case recommendation.FORKED:
            module, initializer = INHERITED, ", initializer"
        case recommendation.POOLLESS:
            module, initializer = "engine = create_engine(URL, poolclass=NullPool)", ""
        case _:
            module, initializer = CREATED, ", initializer, (URL,)"
    return ProgramCode(
        f"{module}\n\n{RUN}",
        preloading(strategy)
        + f'{method} = multiprocessing.get_context("{method}")\n'
        + f"with {method}.Pool(4{initializer}) as pool:\n    results = pool.map(run, tasks)",
    )


def preloading(strategy: Strategy) -> str:
    """The line that makes the fork server import modules; empty for strategies without."""
    if not strategy.preload:
        return ""
    names = ",\n    ".join(f'"{name}"' for name in strategy.preload)
    return f"multiprocessing.set_forkserver_preload([\n    {names},\n])\n"
