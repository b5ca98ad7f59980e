"""The programs of the recommended strategies: complete files to copy, which tests run as they are."""

import inspect
from textwrap import indent

from harness import drivers
from harness.answer import recommendation
from harness.answer.code import asynchronous
from harness.answer.code.parts import DRIVERS, MODES, Variant, freezing, made, own_pool, preloading
from harness.strategies import Strategy
from harness.treatments import sever_in_every_child

RUN = """\
    with engine.connect() as connection:
        return connection.execute(text("select :task"), {"task": task}).scalar()"""
"""What a worker does: the line to replace."""

CREATED = """\
{made}def initializer(url):
    global engine
    engine = make_engine(url)"""

INHERITED = """\
def initializer():
    engine.dispose(close=False)"""


USUAL = Variant()

RECIPES = tuple(
    Variant(driver, pooler, objects)
    for driver in DRIVERS
    for pooler in ("", *MODES)
    for objects in (False, True)
)

VARIANTS = tuple(variant for variant in RECIPES if not variant.driver.asynchronous)
"""Those that programs that start workers have been tried with."""


def process(strategy: Strategy, variant: Variant = USUAL) -> str:
    """One worker."""
    functions, arguments = single(strategy, variant)
    return program(
        strategy,
        variant,
        functions,
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


def single(strategy: Strategy, variant: Variant) -> tuple[str, str]:
    """The function of one worker, and the arguments that start it."""
    if variant.driver.asynchronous:
        return asynchronous.single(strategy)
    maker = "" if strategy.inherits else made(variant)
    first, arguments = {
        recommendation.FORKED: ("    engine.dispose(close=False)\n", '("one",)'),
        recommendation.POOLLESS: ("", '("one",)'),
        recommendation.SEVERED: ("", '("one",)'),
    }.get(strategy.id, ("    engine = make_engine(url)\n", '(URL, "one")'))
    parameters = "task" if strategy.inherits else "url, task"
    return f"{maker}def worker({parameters}):\n{first}{RUN.replace('return ', 'print(')})", arguments


def pooled(strategy: Strategy, variant: Variant) -> tuple[str, str]:
    """The functions of a pool's workers, and the arguments that start them."""
    if variant.driver.asynchronous:
        return asynchronous.pooled(strategy)
    initializer, arguments = {
        recommendation.FORKED: (INHERITED, ", initializer"),
        recommendation.POOLLESS: ("", ""),
        recommendation.SEVERED: ("", ""),
    }.get(strategy.id, (CREATED.format(made=made(variant)), ", initializer, (URL,)"))
    return f"{initializer}\n\n\ndef run(task):\n{RUN}".lstrip(), arguments


def program(strategy: Strategy, variant: Variant, functions: str, main: str) -> str:
    """A complete file. `functions` are at module level, `main` is under its guard."""
    if variant.driver.asynchronous:
        return asynchronous.program(strategy, variant, functions, main)
    imports = "import gc\n" if freezing(strategy, variant) else ""
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
    context = f'context = multiprocessing.get_context("{strategy.start_method}")\n'
    body = f"{context}{preloading(strategy, variant.driver)}{freezing(strategy, variant)}{main}"
    return f'{imports}\n{head}\n\n{functions}\n\n\nif __name__ == "__main__":\n{indent(body, "    ")}'
