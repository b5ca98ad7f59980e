"""The programs of the recommended strategies: complete files to copy, which tests run as they are."""

import inspect
from dataclasses import dataclass
from textwrap import indent

from harness import drivers
from harness.answer import recommendation
from harness.drivers import MEASURED, Driver
from harness.strategies import Strategy
from harness.treatments import sever_in_every_child

RUN = """\
    with engine.connect() as connection:
        return connection.execute(text("select :task"), {"task": task}).scalar()"""
"""What a worker does: the line to replace."""

MADE = """\
def make_engine(url):
    # All that belongs to it: connect_args, listeners, options. The parent calls it too.
    return create_engine(url{pool})


"""
"""What makes an engine, in the parent and in each worker: a URL alone would lose what else belongs to it."""

CREATED = f"""\
{MADE}def initializer(url):
    global engine
    engine = make_engine(url)"""

INHERITED = """\
def initializer():
    engine.dispose(close=False)"""


@dataclass(frozen=True)
class Variant:
    """What a program has besides its strategy."""

    driver: Driver = MEASURED
    pooler: bool = False
    """Whether a pooler such as PgBouncer keeps the connections open: workers then use NullPool."""
    objects: bool = False
    """Whether workers read Python objects of the parent: a forked worker then copies fewer pages after
    gc.freeze()."""

    @property
    def key(self) -> str:
        """`psycopg2.pool.none`, for the site's script."""
        kept = "pooler" if self.pooler else "pool"
        return f"{self.driver.name}.{kept}.{'objects' if self.objects else 'none'}"


USUAL = Variant()

VARIANTS = tuple(
    Variant(driver, pooler, objects)
    for driver in (drivers.PSYCOPG2, drivers.PSYCOPG)
    for pooler in (False, True)
    for objects in (False, True)
)


def process(strategy: Strategy, variant: Variant = USUAL) -> str:
    """One worker."""
    made = "" if strategy.inherits else MADE.format(pool=own_pool(variant))
    first, arguments = {
        recommendation.FORKED: ("    engine.dispose(close=False)\n", '("one",)'),
        recommendation.POOLLESS: ("", '("one",)'),
        recommendation.SEVERED: ("", '("one",)'),
    }.get(strategy.id, ("    engine = make_engine(url)\n", '(URL, "one")'))
    parameters = "task" if strategy.inherits else "url, task"
    return program(
        strategy,
        variant,
        f"{made}def worker({parameters}):\n{first}{RUN.replace('return ', 'print(')})",
        f"process = context.Process(target=worker, args={arguments})\nprocess.start()\nprocess.join()",
    )


def pool(strategy: Strategy, variant: Variant = USUAL) -> str:
    """A pool of workers."""
    functions, arguments = pooled(strategy, variant)
    return program(
        strategy,
        variant,
        functions,
        f'with context.Pool(4{arguments}) as pool:\n    print(pool.map(run, ["one", "two", "three"]))',
    )


def executor(strategy: Strategy, variant: Variant = USUAL) -> str:
    """A pool of workers of concurrent.futures."""
    functions, arguments = pooled(strategy, variant)
    text = program(
        strategy,
        variant,
        functions,
        f"with ProcessPoolExecutor(4, context{arguments}) as executor:\n"
        '    print(list(executor.map(run, ["one", "two", "three"])))',
    )
    imported = "import multiprocessing\n"
    return text.replace(imported, f"{imported}from concurrent.futures import ProcessPoolExecutor\n", 1)


def pooled(strategy: Strategy, variant: Variant) -> tuple[str, str]:
    """The functions of a pool's workers, and the arguments that start them."""
    initializer, arguments = {
        recommendation.FORKED: (INHERITED, ", initializer"),
        recommendation.POOLLESS: ("", ""),
        recommendation.SEVERED: ("", ""),
    }.get(strategy.id, (CREATED.format(pool=own_pool(variant)), ", initializer, (URL,)"))
    return f"{initializer}\n\n\ndef run(task):\n{RUN}".lstrip(), arguments


def own_pool(variant: Variant) -> str:
    """The arguments of create_engine for a worker's own engine."""
    if not variant.pooler:
        return ""
    prepared = variant.driver.behind_pooler
    return f", poolclass=NullPool{prepared and f', {prepared}'}"


def program(strategy: Strategy, variant: Variant, functions: str, main: str) -> str:
    """A complete file. `functions` are at module level, `main` is under its guard."""
    frozen = variant.objects and strategy.inherits
    imports = "import gc\n" if frozen else ""
    imports += "import multiprocessing\n\nfrom sqlalchemy import create_engine, text\n"
    if variant.pooler or not strategy.pooled:
        imports += "from sqlalchemy.pool import NullPool\n"
    head = f'URL = "{drivers.url(variant.driver)}"\n'
    if strategy.inherits:
        pool = own_pool(variant) or ("" if strategy.pooled else ", poolclass=NullPool")
        head += f"engine = create_engine(URL{pool})\n"
    if strategy.id == recommendation.SEVERED:
        imports = imports.replace("\n\nfrom", "\nfrom typing import Any\n\nfrom", 1)
        engine = "from sqlalchemy.engine import Engine\n"
        imports = imports.replace("create_engine, text\n", f"create_engine, text\n{engine}", 1)
        head += f"\n\n{inspect.getsource(sever_in_every_child)}\n\nsever_in_every_child(engine)\n"
    freezing = "gc.collect()\ngc.freeze()\n" if frozen else ""
    context = f'context = multiprocessing.get_context("{strategy.start_method}")\n'
    body = f"{context}{preloading(strategy, variant.driver)}{freezing}{main}"
    return f'{imports}\n{head}\n\n{functions}\n\n\nif __name__ == "__main__":\n{indent(body, "    ")}'


def preloading(strategy: Strategy, driver: Driver) -> str:
    """The line that makes the fork server import the driver in advance; empty for strategies without.

    It names what a program needs. The series is measured with one module less, psycopg2.extras, which takes a
    worker about a millisecond.
    """
    if not strategy.preload:
        return ""
    names = ", ".join(f'"{name}"' for name in driver.preload)
    return f"context.set_forkserver_preload([{names}])\n"
