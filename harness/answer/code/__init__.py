"""The programs of the recommended strategies: complete files to copy, which tests run as they are."""

import inspect
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from harness import drivers
from harness.answer import recommendation
from harness.answer.code.parts import DRIVERS, MODES, Variant, own_pool
from harness.strategies import Strategy
from harness.treatments import sever_in_every_child

USUAL = Variant()

RECIPES = tuple(
    Variant(driver, pooler, objects)
    for driver in DRIVERS
    for pooler in ("", *MODES)
    for objects in (False, True)
)

VARIANTS = tuple(variant for variant in RECIPES if not variant.driver.asynchronous)
"""The variants with which programs that start workers have been tried."""


def process(strategy: Strategy, variant: Variant = USUAL) -> str:
    """A program with one worker."""
    return program("process", strategy, variant)


def pool(strategy: Strategy, variant: Variant = USUAL) -> str:
    """A program with a pool of workers."""
    return program("pool", strategy, variant)


def executor(strategy: Strategy, variant: Variant = USUAL) -> str:
    """A program with an executor of concurrent.futures."""
    return program("executor", strategy, variant)


def program(shape: str, strategy: Strategy, variant: Variant) -> str:
    """A complete file, or a comment that says why there is none.

    The preload names all modules that a program needs. The series is measured without psycopg2.extras, which
    takes a worker about a millisecond.
    """
    asynchronous = variant.driver.asynchronous
    if asynchronous and (reason := strategy.without(variant.driver)):
        return f"# {reason}: take {recommendation.PRELOADED}.\n"
    text: str = template().render(
        shape=shape,
        strategy=strategy,
        asynchronous=asynchronous,
        url=drivers.url(variant.driver),
        create="create_async_engine" if asynchronous else "create_engine",
        pool=own_pool(variant) or ("" if strategy.pooled else ", poolclass=NullPool"),
        preload=", ".join(f'"{name}"' for name in variant.driver.preload) if strategy.preload else "",
        freezes=variant.objects and strategy.inherits,
        sever=inspect.getsource(sever_in_every_child).rstrip(),
    )
    return text.rstrip()


@cache
def template() -> Template:
    """The template of all programs."""
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    source = resources.files("harness.answer.code") / "program.py.j2"
    return environment.from_string(source.read_text(encoding="utf-8"))
