"""The catalogue of strategies: how a program starts workers, and what becomes of its pool.

One entry a strategy. Its functions are what a program would contain, written as SQLAlchemy's
documentation recommends: https://docs.sqlalchemy.org/en/20/core/pooling.html (section "Using
Connection Pools with Multiprocessing or os.fork()"). Adding a strategy is adding an entry here, with
at most one small function; `benchmarks/` takes its parameters from this catalogue.

asv imports this module for its parameters in every benchmark process, a hundred times a run, so
SQLAlchemy is imported where it is used: it takes 0.3 s.
"""

from __future__ import annotations

import importlib
import multiprocessing
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.system.errors import PoolstartError
from harness.treatments import create, dispose_without_closing, keep, leave_alone

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from sqlalchemy.engine import Engine

POOLING = "https://docs.sqlalchemy.org/en/20/core/pooling.html"
FORKING = POOLING + "#using-connection-pools-with-multiprocessing-or-os-fork"
START_METHODS = "https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods"


@dataclass(frozen=True)
class Prepared:
    """A worker's process that has not been started, with the pipe between it and the parent."""

    process: BaseProcess
    ours: Connection[Any, Any]
    theirs: Connection[Any, Any]
    """The worker's end: the parent closes its copy once the worker has started."""
    pickled: int
    """Bytes that are pickled to the worker besides multiprocessing's own."""


@dataclass(frozen=True)
class Strategy:
    """A start method together with what is done about the pool."""

    id: str
    """Stable, lower case, at most 20 characters: it is a parameter value in the results."""
    title: str
    start_method: str
    """`fork`, `forkserver` or `spawn`."""
    in_worker: Callable[[Any], Engine]
    """First thing in the worker: takes what was handed to it, returns the engine to use."""
    safe: bool
    """Whether documentation recommends it. An unsafe strategy is measured, never presented as a winner."""
    choose: str
    """One sentence: when to choose it."""
    docs: str
    """The documentation it follows."""
    before_start: Callable[[Engine], None] = leave_alone
    """What the parent does with its engine before it starts a worker."""
    pool: str = ""
    """The class of `sqlalchemy.pool` that the parent's engine uses; empty for SQLAlchemy's default."""
    shares_connection: bool = False
    """Whether the worker talks over the parent's own connection."""
    preload: tuple[str, ...] = ()
    """What the fork server imports before it forks the first worker."""
    since: tuple[int, ...] = (1, 4)
    """The first SQLAlchemy release that can do it."""

    @property
    def inherits(self) -> bool:
        """Whether the worker is handed the parent's engine; otherwise it gets a URL."""
        return self.start_method == "fork"

    @property
    def boots_an_interpreter(self) -> bool:
        """Whether each worker imports for itself what its parent has imported already."""
        return not self.inherits and not self.preload

    @property
    def pooled(self) -> bool:
        """Whether a connection that is given back stays open."""
        return self.pool != "NullPool"

    @property
    def keeps_parent_connection(self) -> bool:
        """Whether the parent's pooled connection outlives the start of a worker."""
        return self.pooled and self.before_start is leave_alone

    def set_up(self) -> None:
        """What the program does once, before anything else."""
        if self.preload:
            multiprocessing.set_forkserver_preload(list(self.preload))

    def create_parent_engine(self, url: str, **options: Any) -> Engine:
        """The engine of the parent, with further options of `create_engine`."""
        from sqlalchemy import create_engine, pool

        if self.pool:
            options["poolclass"] = getattr(pool, self.pool)
        return create_engine(url, **options)

    def prepare(self, target: Callable[..., None], engine: Engine | None, url: str, *args: Any) -> Prepared:
        """A worker about to be started: the one place that says what is handed over, and by which method.

        `target(in_worker, handed, channel, *args)` runs in the worker. `handed` is the parent's engine where
        the worker inherits it, else the URL.
        """
        if engine is not None:
            self.before_start(engine)
        context = multiprocessing.get_context(self.start_method)
        ours, theirs = context.Pipe()
        handed = engine if self.inherits else url
        process = context.Process(target=target, args=(self.in_worker, handed, theirs, *args))  # type: ignore[attr-defined]
        pickled = 0 if self.inherits else len(pickle.dumps((self.in_worker, handed, *args)))
        return Prepared(process, ours, theirs, pickled)

    def not_applicable(self, release: str) -> str:
        """Why this SQLAlchemy release cannot do it; empty when it can."""
        number = tuple(int(part) for part in release.split(".")[:3] if part.isdigit())
        if number >= self.since:
            return ""
        return f"{self.id} needs SQLAlchemy {'.'.join(map(str, self.since))}, this is {release}"


CATALOGUE = (
    Strategy(
        id="fork_nodispose",
        title="fork, pool left as it is",
        start_method="fork",
        in_worker=keep,
        shares_connection=True,
        safe=False,
        choose="Never: two processes share one connection, and only luck keeps their answers apart.",
        docs=FORKING,
    ),
    Strategy(
        id="fork_dispose",
        title="fork, dispose(close=False) in the worker",
        start_method="fork",
        in_worker=dispose_without_closing,
        safe=True,
        choose="When workers must start fast or share the parent's data, and no thread runs in the parent.",
        docs=FORKING,
        since=(1, 4, 33),
    ),
    Strategy(
        id="forkserver",
        title="forkserver, engine made in the worker",
        start_method="forkserver",
        in_worker=create,
        safe=True,
        choose="When the parent has threads and workers come often: nothing of the parent is inherited.",
        docs=START_METHODS,
    ),
    Strategy(
        id="forkserver_preload",
        title="forkserver that has imported SQLAlchemy and the driver",
        start_method="forkserver",
        preload=("sqlalchemy", "sqlalchemy.dialects.postgresql.psycopg2", "psycopg2"),
        in_worker=create,
        safe=True,
        choose="When the parent has threads and workers must start fast: the imports are paid once.",
        docs=START_METHODS,
    ),
    Strategy(
        id="spawn",
        title="spawn, engine made in the worker",
        start_method="spawn",
        in_worker=create,
        safe=True,
        choose="When isolation counts most and workers live long enough to repay their slow start.",
        docs=START_METHODS,
    ),
    Strategy(
        id="nullpool",
        title="fork, NullPool",
        start_method="fork",
        in_worker=keep,
        pool="NullPool",
        safe=True,
        choose="When connections are rare or an external pooler keeps them: each checkout pays a connect.",
        docs=POOLING + "#switching-pool-implementations",
    ),
)

IDS = tuple(strategy.id for strategy in CATALOGUE)


def get(name: str) -> Strategy:
    """The strategy called `name`: an id of the catalogue, or `package.module:NAME` for one of your own."""
    for strategy in CATALOGUE:
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
                "make it a Strategy, as in harness/strategies.py",
            )
        if found.start_method not in multiprocessing.get_all_start_methods():
            raise PoolstartError(
                f"{name} has the start method {found.start_method!r}",
                f"known are {', '.join(multiprocessing.get_all_start_methods())}",
            )
        return found
    raise PoolstartError(f"no strategy {name!r}", f"known are {', '.join(IDS)}")
