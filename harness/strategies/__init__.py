"""The strategies: a start method together with what is done about the pool.

`catalogue` has the default series, `further` those that are measured by name, `strategy` their type. Every
benchmark process imports this package, a hundred times a run, so functions import SQLAlchemy when they are
called: it takes 0.3 s.
"""

from __future__ import annotations

import importlib
import importlib.util
import multiprocessing
from collections.abc import Iterable
from pathlib import Path

from harness.strategies.catalogue import CATALOGUE
from harness.strategies.further import FURTHER
from harness.strategies.strategy import ParentConnection, Prepared, Strategy
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError

__all__ = (
    "CATALOGUE",
    "FURTHER",
    "FURTHER_IDS",
    "GROUPS",
    "IDS",
    "ParentConnection",
    "Prepared",
    "Strategy",
    "get",
    "label",
    "named",
    "places",
)

IDS = tuple(strategy.id for strategy in CATALOGUE)
"""The default series: the parameters of every benchmark."""

FURTHER_IDS = tuple(strategy.id for strategy in FURTHER)
"""The strategies that are measured by name only."""

GROUPS = {"default": IDS, "further": FURTHER_IDS, "all": IDS + FURTHER_IDS}
"""Names that stand for several strategies."""


def get(name: str) -> Strategy:
    """The strategy with this id, or `package.module:NAME` for one of the user's own.

    Raises `PoolstartError` if there is none, or if it cannot be imported.
    """
    for strategy in CATALOGUE + FURTHER:
        if strategy.id == name:
            return strategy
    module, colon, attribute = name.partition(":")
    if colon:
        try:
            strategy = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PoolstartError(f"no strategy {name}: {error}", "write it as package.module:NAME") from None
        # A user's module may raise anything, and even call `sys.exit` at its top level.
        except (Exception, SystemExit) as error:
            raise PoolstartError(
                f"no strategy {name}: importing {module or 'it'} raised {type(error).__name__}: {error}",
                "write it as package.module:NAME, of a module that can be imported",
            ) from None
        if not isinstance(strategy, Strategy):
            raise PoolstartError(
                f"{name} is no strategy but {type(strategy).__name__}",
                "make it a Strategy, as in harness/strategies/catalogue.py",
            )
        if strategy.start_method not in multiprocessing.get_all_start_methods():
            raise PoolstartError(
                f"{name} has the start method {strategy.start_method!r}",
                f"known are {', '.join(multiprocessing.get_all_start_methods())}",
            )
        return strategy
    raise PoolstartError(f"no strategy {name!r}", f"known are {', '.join(GROUPS['all'])}")


def label(name: str) -> str:
    """The name of a strategy in tables: its id, also for one of the user's own.

    `package.module:NAME` if the catalogue has a strategy of this id. Raises the same errors as `get`.
    """
    strategy = get(name)
    return name if strategy.id in GROUPS["all"] else strategy.id


def places(name: str) -> tuple[Path, ...]:
    """The directories to add to a parent's import path for a user's own strategy; none for the catalogue's.

    Directories of installed packages are left out: another interpreter has its own.
    """
    module, colon, _ = name.partition(":")
    spec = importlib.util.find_spec(module) if colon else None
    if not spec or not spec.origin:
        return ()
    above = module.count(".") + (1 if spec.submodule_search_locations else 0)
    place = Path(spec.origin).parents[above]
    return () if "site-packages" in place.parts or place == ROOT else (place,)


def named(names: Iterable[str]) -> tuple[str, ...]:
    """The ids of these names, each once; `default`, `further` and `all` stand for several.

    Raises `PoolstartError` for an unknown name.
    """
    ids = dict.fromkeys(id for name in names for id in GROUPS.get(name, (name,)))
    for name in ids:
        get(name)
    return tuple(ids)
