"""A recipe for each driver and recommended strategy, complete with URL and preload, runs as pasted.

They need the drivers in the environment of the tests, as `test_drivers` does.
"""

import importlib.util
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from harness import drivers, strategies
from harness.answer import code, recommendation
from harness.answer.code.parts import DRIVERS, Variant
from harness.drivers import PSYCOPG
from harness.postgres.server import Server
from tests.support.snippets import PROGRAM, drivers_not_preloaded, started

VARIANTS = [
    (code.pool, Variant(pooler="transaction", objects=True)),
    (code.pool, Variant(PSYCOPG, pooler="transaction", objects=True)),
    (code.process, Variant(PSYCOPG, objects=True)),
    (code.executor, Variant(PSYCOPG, pooler="session")),
]

RECIPES = [
    *((code.pool, Variant(driver), name) for driver in DRIVERS[1:] for name in recommendation.RECOMMENDED),
    # Each variant with every other strategy: the lines for a pooler do not depend on the start.
    *(
        (*variant, name)
        for number, variant in enumerate(VARIANTS)
        for name in recommendation.RECOMMENDED[number % 2 :: 2]
    ),
]


@pytest.mark.parametrize(
    ("render", "variant", "name"),
    RECIPES,
    ids=lambda value: getattr(value, "key", getattr(value, "__name__", value)),
)
def test_a_recipe_runs_as_pasted(
    server: Server,
    tmp_path: Path,
    render: Callable[[strategies.Strategy, Variant], str],
    variant: Variant,
    name: str,
) -> None:
    strategy, driver = strategies.get(name), variant.driver
    text = render(strategy, variant)
    if reason := strategy.without(driver):
        assert text == f"# {reason}: take forkserver_preload.\n"
        return
    if not importlib.util.find_spec(driver.module):
        pytest.skip(f"{driver.module} is not installed")
    assert drivers_not_preloaded(text) == []
    (tmp_path / PROGRAM).write_text(
        text.replace(drivers.url(driver), server.sqlalchemy_url("recipe", driver))
    )
    ran = started(tmp_path, sys.executable, PROGRAM)
    printed = "one\n" if render is code.process else "['one', 'two', 'three']\n"
    assert (ran.returncode, ran.stderr, ran.stdout) == (0, "", printed), text


@pytest.mark.parametrize("name", recommendation.RECOMMENDED)
def test_an_asynchronous_recipe_is_complete(name: str) -> None:
    strategy = strategies.get(name)
    variants = [variant for variant in code.RECIPES if variant.driver.asynchronous]
    for variant, render in product(variants, (code.process, code.pool, code.executor)):
        text = render(strategy, variant)
        compile(text, name, "exec")
        if strategy.without(variant.driver):
            continue
        assert f'URL = "{drivers.url(variant.driver)}"' in text
        assert ("poolclass=NullPool" in text) == (bool(variant.pooler) or not strategy.pooled)
        assert ('"statement_cache_size": 0' in text) == (variant.pooler == "transaction")
        assert ("KEPT.append(engine.sync_engine.pool)" in text) == (strategy.id == recommendation.FORKED)
        assert ("make_engine(url)" in text) == (not strategy.inherits)
