"""The programs of an asynchronous driver: as `harness.answer.code`, with an AsyncEngine and an event loop."""

from textwrap import indent

from harness import drivers
from harness.answer import recommendation
from harness.answer.code.parts import Variant, freezing, made, own_pool, preloading
from harness.strategies import Strategy

QUERY = """\
async def query(task):
    async with engine.connect() as connection:
        return (await connection.execute(text("select :task"), {"task": task})).scalar()


"""
"""What a worker does: the lines to replace."""

KEEP = """\
    KEPT.append(engine.sync_engine.pool)
    engine.sync_engine.dispose(close=False)
"""
"""What a forked worker does about the engine that it inherits."""

KEPT = """\

# If a worker's garbage collector took the inherited pool, it would end its parent's session.
KEPT = []
"""


def single(strategy: Strategy) -> tuple[str, str]:
    """The functions of one worker, and the arguments that start it."""
    forked = strategy.id == recommendation.FORKED
    own = "" if strategy.inherits else "    global engine\n    engine = make_engine(url)\n"
    parameters, arguments = ("task", '("one",)') if strategy.inherits else ("url, task", '(URL, "one")')
    worker = f"def worker({parameters}):\n{own}{KEEP * forked}    print(asyncio.run(query(task)))"
    return f"{QUERY}{worker}", arguments


def pooled(strategy: Strategy) -> tuple[str, str]:
    """The functions of a pool's workers, each with one event loop, and the arguments that start them."""
    loop = "    runner = asyncio.Runner()\n\n\n"
    if strategy.inherits:
        treated = KEEP if strategy.id == recommendation.FORKED else ""
        initializer = f"def initializer():\n    global runner\n{treated}{loop}"
        arguments = ", initializer"
    else:
        own = "    engine = make_engine(url)\n"
        initializer = f"def initializer(url):\n    global engine, runner\n{own}{loop}"
        arguments = ", initializer, (URL,)"
    return f"{initializer}{QUERY}def run(task):\n    return runner.run(query(task))", arguments


def program(strategy: Strategy, variant: Variant, functions: str, main: str) -> str:
    """A complete file, or a comment that says why there is none."""
    if reason := strategy.without(variant.driver):
        return f"# {reason}: take {recommendation.PRELOADED}.\n"
    imports = "import asyncio\n" + ("import gc\n" if freezing(strategy, variant) else "")
    imports += "import multiprocessing\n\nfrom sqlalchemy import text\n"
    imports += "from sqlalchemy.ext.asyncio import create_async_engine\n"
    if variant.pooler or not strategy.pooled:
        imports += "from sqlalchemy.pool import NullPool\n"
    head = f'URL = "{drivers.url(variant.driver)}"\n'
    if strategy.inherits:
        arguments = own_pool(variant) or ("" if strategy.pooled else ", poolclass=NullPool")
        head += f"engine = create_async_engine(URL{arguments})\n"
        head += KEPT if strategy.id == recommendation.FORKED else ""
    else:
        functions = made(variant, "create_async_engine") + functions
    context = f'context = multiprocessing.get_context("{strategy.start_method}")\n'
    body = f"{context}{preloading(strategy, variant.driver)}{freezing(strategy, variant)}{main}"
    return f'{imports}\n{head}\n\n{functions}\n\n\nif __name__ == "__main__":\n{indent(body, "    ")}'
