"""The strategies: how a program starts workers, and what becomes of its pool.

`catalogue` has the default series, `further` what is measured by name, `strategy` the type they fill in. asv
imports this room for its parameters in every benchmark process, a hundred times a run, so SQLAlchemy is
imported where it is used: it takes 0.3 s.
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
    "named",
    "places",
)

IDS = tuple(strategy.id for strategy in CATALOGUE)
"""The default series: the parameters of every benchmark."""

FURTHER_IDS = tuple(strategy.id for strategy in FURTHER)
"""What is measured where it is asked for by name."""

GROUPS = {"default": IDS, "further": FURTHER_IDS, "all": IDS + FURTHER_IDS}
"""Names that stand for several strategies."""


def get(name: str) -> Strategy:
    """The strategy called `name`: an id, or `package.module:NAME` for one of your own."""
    for strategy in CATALOGUE + FURTHER:
        if strategy.id == name:
            return strategy
    module, colon, attribute = name.partition(":")
    if colon:
        try:
            found = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise PoolstartError(f"no strategy {name}: {error}", "write it as package.module:NAME") from None
        # A module of the user's may raise anything, and `sys.exit` at its top level would end the run.
        except (Exception, SystemExit) as error:
            raise PoolstartError(
                f"no strategy {name}: importing {module or 'it'} raised {type(error).__name__}: {error}",
                "write it as package.module:NAME, of a module that can be imported",
            ) from None
        if not isinstance(found, Strategy):
            raise PoolstartError(
                f"{name} is no strategy but {type(found).__name__}",
                "make it a Strategy, as in harness/strategies/catalogue.py",
            )
        if found.start_method not in multiprocessing.get_all_start_methods():
            raise PoolstartError(
                f"{name} has the start method {found.start_method!r}",
                f"known are {', '.join(multiprocessing.get_all_start_methods())}",
            )
        return found
    raise PoolstartError(f"no strategy {name!r}", f"known are {', '.join(GROUPS['all'])}")


def places(name: str) -> tuple[Path, ...]:
    """Where a started program has to look for a strategy of your own; nowhere for one of the catalogue.

    What is installed beside this suite is not looked for: another interpreter has its own packages.
    """
    module, colon, _ = name.partition(":")
    spec = importlib.util.find_spec(module) if colon else None
    if not spec or not spec.origin:
        return ()
    above = module.count(".") + (1 if spec.submodule_search_locations else 0)
    place = Path(spec.origin).parents[above]
    return () if "site-packages" in place.parts or place == ROOT else (place,)


def named(names: Iterable[str]) -> tuple[str, ...]:
    """Ids of the names, each once; `default`, `further` and `all` stand for several."""
    found = dict.fromkeys(each for name in names for each in GROUPS.get(name, (name,)))
    for name in found:
        get(name)
    return tuple(found)
