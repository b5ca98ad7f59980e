"""The type of a strategy, and how its worker is started."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness import drivers
from harness.drivers import Driver
from harness.treatments import leave_alone

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from sqlalchemy.engine import Engine

POOLING = "https://docs.sqlalchemy.org/en/20/core/pooling.html"
FORKING = POOLING + "#using-connection-pools-with-multiprocessing-or-os-fork"
START_METHODS = "https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods"


class ParentConnection(StrEnum):
    """What happens to the connection in the parent's pool when a worker is started."""

    KEPT = "kept"
    CLOSED = "closed"
    """The parent closes it before the start; its next checkout connects again."""
    KILLED = "killed"
    """The worker closes it; the parent's next query fails."""


@dataclass(frozen=True)
class Prepared:
    """A worker's process before its start, and the pipe between it and the parent."""

    process: BaseProcess
    ours: Connection[Any, Any]
    theirs: Connection[Any, Any]
    """The worker's end; the parent closes its copy after the start."""
    pickled: int
    """Bytes that are pickled for the worker, without multiprocessing's own."""
    treat: Callable[[], None]
    """A function that the parent calls right before the start; it is timed as part of the start."""


@dataclass(frozen=True)
class Strategy:
    """A start method together with what is done about the pool."""

    id: str
    """Stable, lower case, at most 20 characters: it is a parameter value in the results."""
    title: str
    start_method: str
    """`fork`, `forkserver` or `spawn`."""
    in_worker: Callable[[Any], Engine]
    """Called first in the worker, with the value that the parent passed; returns the engine to use."""
    safe: bool
    """Whether each connection is used by one process only, as the documentation demands.

    An unsafe strategy is measured, and never recommended."""
    docs: str
    """The address of the documentation that it follows."""
    choose: str = ""
    """One sentence: when to choose it. Empty if a rule of `harness.answer.recommendation` recommends it."""
    early: Callable[[], None] | None = None
    """Called by the parent before anything else."""
    on_engine: Callable[[Engine], None] | None = None
    """Called by the parent once, with its engine."""
    before_start: Callable[[Engine], None] = leave_alone
    """Called by the parent with its engine right before each start."""
    hand_over: Callable[[Engine, str], Any] | None = None
    """Returns the value to pass to the worker, instead of the parent's engine (fork) or the URL."""
    pool: str = ""
    """The class in `sqlalchemy.pool` of the parent's engine; empty for SQLAlchemy's default."""
    pre_ping: bool = False
    """Whether the parent's pool tests each connection at checkout (`pool_pre_ping`)."""
    shares_connection: bool = False
    """Whether the worker uses the parent's connection."""
    parent_connection: ParentConnection = ParentConnection.KEPT
    """What happens to the connection in the parent's pool, if it has one."""
    preload: tuple[str, ...] = ()
    """Modules that the fork server imports before it forks the first worker."""
    since: tuple[int, ...] = (1, 4)
    """The first SQLAlchemy release that supports it."""
    driver: Driver = drivers.MEASURED
    """The driver of its engines."""

    def without(self, driver: Driver) -> str:
        """Why it does not exist for a driver; empty if it does."""
        if self.shares_connection and driver.bound_to_loop:
            return (
                f"{self.id} cannot work with {driver.name}: only the event loop that opened a connection can"
                " use it"
            )
        return self.unwritten(driver)

    def unwritten(self, driver: Driver) -> str:
        """Why it has no code for a driver; empty if it has, though it may fail."""
        if driver == self.driver:
            return ""
        if not driver.asynchronous:
            own = {"sqlalchemy", self.driver.module}
            if {name.partition(".")[0] for name in self.preload} <= own:
                return ""
            return f"{self.id} preloads {', '.join(self.preload)}, whatever the driver"
        if self.treats_parent or not self.asynchronous_in_worker:
            return f"{self.id} is written for synchronous drivers, and {driver.name} is none"
        return ""

    def with_driver(self, driver: Driver, *, working: bool = True) -> Strategy:
        """The same strategy for engines of another driver.

        Raises `NotApplicable` if it does not exist for that driver. Unless it must be `working`, code that
        fails with the driver is accepted.
        """
        if driver == self.driver:
            return self
        if reason := self.without(driver) if working else self.unwritten(driver):
            # Imported here, because measured processes import this module.
            from harness.processes.errors import NotApplicable

            raise NotApplicable(reason)
        preload = ("sqlalchemy", *driver.preload) if self.preload else ()
        in_worker = self.asynchronous_in_worker if driver.asynchronous else self.in_worker
        assert in_worker
        return replace(self, driver=driver, preload=preload, in_worker=in_worker)

    @property
    def asynchronous_in_worker(self) -> Callable[[Any], Any] | None:
        """The function that it calls in the worker of an asynchronous driver; None if there is none."""
        from harness import treatments_async

        found: Callable[[Any], Any] | None = getattr(treatments_async, self.in_worker.__name__, None)
        return found

    @property
    def treats_parent(self) -> bool:
        """Whether it does anything in the parent besides creating an engine."""
        return bool(self.early or self.on_engine or self.hand_over) or self.before_start is not leave_alone

    @property
    def inherits(self) -> bool:
        """Whether the worker is a copy of its parent (fork)."""
        return self.start_method == "fork"

    @property
    def hands_engine(self) -> bool:
        """Whether the worker gets the parent's engine and not one of its own."""
        return self.inherits and self.hand_over is None

    @property
    def boots_an_interpreter(self) -> bool:
        """Whether each worker starts an interpreter, which imports everything again."""
        return not self.inherits and not self.preload

    @property
    def pooled(self) -> bool:
        """Whether a returned connection stays open."""
        return self.pool != "NullPool"

    @property
    def keeps_parent_connection(self) -> bool:
        """Whether the parent's pooled connection survives the start of a worker."""
        return self.pooled and self.parent_connection is ParentConnection.KEPT

    def set_up(self) -> None:
        """Prepare the parent, once, before anything else."""
        if self.early:
            self.early()
        if self.preload:
            multiprocessing.set_forkserver_preload(list(self.preload))

    def create_parent_engine(self, url: str, **options: Any) -> Engine:
        """The parent's engine; `options` are passed to `create_engine`."""
        from sqlalchemy import create_engine, pool

        create: Callable[..., Any] = create_engine
        if self.driver.asynchronous:
            from sqlalchemy.ext.asyncio import create_async_engine

            create = create_async_engine
        if self.pool:
            options["poolclass"] = getattr(pool, self.pool)
        if self.pre_ping:
            options["pool_pre_ping"] = True
        engine: Engine = create(url, **options)
        if self.on_engine:
            self.on_engine(engine)
        return engine

    def handed(self, engine: Engine | None, url: str) -> Any:
        """The value that is passed to a worker: `hand_over`'s, or else the engine if inherited, or the URL.

        `engine` is None for a worker that needs no engine.
        """
        if self.hand_over and engine is not None:
            return self.hand_over(engine, url)
        return engine if self.inherits else url

    def prepare(self, target: Callable[..., None], engine: Engine | None, url: str, *args: Any) -> Prepared:
        """A worker's process, not yet started; it will call `target(in_worker, handed, channel, *args)`."""
        context = multiprocessing.get_context(self.start_method)
        ours, theirs = context.Pipe()
        handed = self.handed(engine, url)
        process = context.Process(target=target, args=(self.in_worker, handed, theirs, *args))  # type: ignore[attr-defined]
        pickled = 0 if self.inherits else len(pickle.dumps((self.in_worker, handed, *args)))

        def treat() -> None:
            if engine is not None:
                self.before_start(engine)

        return Prepared(process, ours, theirs, pickled, treat)

    def not_applicable(self, release: str) -> str:
        """Why this SQLAlchemy release does not support it; empty if it does."""
        number = tuple(int(part) for part in release.split(".")[:3] if part.isdigit())
        if number >= self.since:
            return ""
        return f"{self.id} needs SQLAlchemy {'.'.join(map(str, self.since))}, this is {release}"
