"""A recipe for each driver and recommended strategy, complete with URL and preload, runs as pasted.

They need the drivers in the environment of the tests, as `test_drivers` does.
"""

import importlib.util
import re
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
def test_a_recipe_names_preloads_and_treats_its_driver(name: str) -> None:
    strategy = strategies.get(name)
    for variant, render in product(code.RECIPES, (code.process, code.pool, code.executor)):
        text, driver = render(strategy, variant), variant.driver
        compile(text, name, "exec")
        if driver.asynchronous and strategy.without(driver):
            continue
        assert f'URL = "{drivers.url(driver)}"' in text
        others = {"psycopg2", "psycopg"} - {driver.dialect}
        assert not re.search(rf"\b({'|'.join(others)})\b", text)
        assert not strategy.preload or all(f'"{module}"' in text for module in driver.preload)
        assert ("poolclass=NullPool" in text) == (bool(variant.pooler) or not strategy.pooled)
        for each in filter(lambda each: each.behind_pooler, DRIVERS):
            unprepared = each == driver and variant.pooler == "transaction"
            assert (each.behind_pooler in text) == unprepared
        assert ("make_engine(url)" in text) == (not strategy.inherits)
        assert ("gc.freeze()" in text) == (variant.objects and strategy.inherits)
        kept = driver.bound_to_loop and strategy.id == recommendation.FORKED
        assert ("KEPT.append(engine.sync_engine.pool)" in text) == kept
