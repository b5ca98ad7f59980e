"""What a strategy is, and the one place that says how its worker is started."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.treatments import leave_alone

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from sqlalchemy.engine import Engine

POOLING = "https://docs.sqlalchemy.org/en/20/core/pooling.html"
FORKING = POOLING + "#using-connection-pools-with-multiprocessing-or-os-fork"
START_METHODS = "https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods"


class ParentConnection(StrEnum):
    """What becomes of the connection in the parent's pool when a worker is started."""

    KEPT = "kept"
    CLOSED = "closed"
    """By the parent, before the start: it connects again when it next wants to."""
    KILLED = "killed"
    """By the worker: the parent finds out at its next query."""


@dataclass(frozen=True)
class Prepared:
    """A worker's process that has not been started, with the pipe between it and the parent."""

    process: BaseProcess
    ours: Connection[Any, Any]
    theirs: Connection[Any, Any]
    """The worker's end: the parent closes its copy once the worker has started."""
    pickled: int
    """Bytes that are pickled to the worker besides multiprocessing's own."""
    treat: Callable[[], None]
    """What the parent does right before the start: a part of what the strategy costs."""


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
    """Whether it keeps every connection to one process, as documentation demands.

    An unsafe strategy is measured, never presented as a winner."""
    choose: str
    """One sentence: when to choose it."""
    docs: str
    """The documentation it follows."""
    early: Callable[[], None] | None = None
    """What the program does before anything else."""
    on_engine: Callable[[Engine], None] | None = None
    """What the parent does once with the engine it has made."""
    before_start: Callable[[Engine], None] = leave_alone
    """What the parent does with its engine right before it starts a worker."""
    hand_over: Callable[[Engine, str], Any] | None = None
    """What the worker is handed where that is not the parent's engine (fork) or the URL (otherwise)."""
    pool: str = ""
    """The class of `sqlalchemy.pool` that the parent's engine uses; empty for SQLAlchemy's default."""
    pre_ping: bool = False
    """Whether the parent's pool tries each connection before it gives it out."""
    shares_connection: bool = False
    """Whether the worker talks over the parent's own connection."""
    parent_connection: ParentConnection = ParentConnection.KEPT
    """What becomes of the connection in the parent's pool, where it has one."""
    preload: tuple[str, ...] = ()
    """What the fork server imports before it forks the first worker."""
    since: tuple[int, ...] = (1, 4)
    """The first SQLAlchemy release that can do it."""

    @property
    def inherits(self) -> bool:
        """Whether the worker is a copy of its parent."""
        return self.start_method == "fork"

    @property
    def hands_engine(self) -> bool:
        """Whether the worker's engine is the parent's; otherwise it has one of its own."""
        return self.inherits and self.hand_over is None

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
        return self.pooled and self.parent_connection is ParentConnection.KEPT

    def set_up(self) -> None:
        """What the program does once, before anything else."""
        if self.early:
            self.early()
        if self.preload:
            multiprocessing.set_forkserver_preload(list(self.preload))

    def create_parent_engine(self, url: str, **options: Any) -> Engine:
        """The engine of the parent, with further options of `create_engine`."""
        from sqlalchemy import create_engine, pool

        if self.pool:
            options["poolclass"] = getattr(pool, self.pool)
        if self.pre_ping:
            options["pool_pre_ping"] = True
        engine = create_engine(url, **options)
        if self.on_engine:
            self.on_engine(engine)
        return engine

    def handed(self, engine: Engine | None, url: str) -> Any:
        """What is handed to a worker: the parent's engine where it inherits it, else what it needs for one.

        A worker that asks for no engine is handed none.
        """
        if self.hand_over and engine is not None:
            return self.hand_over(engine, url)
        return engine if self.inherits else url

    def prepare(self, target: Callable[..., None], engine: Engine | None, url: str, *args: Any) -> Prepared:
        """A worker about to be started: the one place that says what is handed over, and by which method.

        `target(in_worker, handed, channel, *args)` runs in the worker.
        """
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
        """Why this SQLAlchemy release cannot do it; empty when it can."""
        number = tuple(int(part) for part in release.split(".")[:3] if part.isdigit())
        if number >= self.since:
            return ""
        return f"{self.id} needs SQLAlchemy {'.'.join(map(str, self.since))}, this is {release}"
