"""What starts the workers of a fleet: `Process`, `multiprocessing.Pool`, `ProcessPoolExecutor` or Celery.

All start at the same moment, each with a pipe of its own to the parent.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from sqlalchemy.engine import Engine

from harness.fleets.inside import worker
from harness.strategies import Strategy

Channels = list["Connection[Any, Any]"]


class Team:
    """The workers of a fleet, and the parent's ends of their pipes."""

    channels: Channels
    processes: list[BaseProcess]

    def __init__(self, strategy: Strategy, engine: Engine, url: str, token: str, workers: int) -> None:
        """Prepare the workers; nothing of it is timed."""
        raise NotImplementedError

    def start(self) -> None:
        """Start all of them."""
        raise NotImplementedError

    def join(self, deadline: float) -> None:
        """Wait for the end of the workers, which the parent has ordered."""
        for process in self.processes:
            process.join(deadline)

    def kill(self) -> None:
        """End what is left, and close the pipes."""
        for process in self.processes:
            process.kill()
            process.join()
        for channel in self.channels:
            channel.close()


class Processes(Team):
    def __init__(self, strategy: Strategy, engine: Engine, url: str, token: str, workers: int) -> None:
        work: Callable[..., None] = worker.work
        if strategy.driver.asynchronous:
            from harness.fleets.inside import async_worker

            work = async_worker.work
        self._prepared = [strategy.prepare(work, engine, url, token) for _ in range(workers)]
        self.channels = [each.ours for each in self._prepared]
        self.processes = [each.process for each in self._prepared]

    def start(self) -> None:
        for each in self._prepared:
            each.treat()
            each.process.start()
            each.theirs.close()


class PoolTeam(Team):
    """The workers of a pool: its initializer is their whole life, so that no worker takes a task."""

    def __init__(self, strategy: Strategy, engine: Engine, url: str, token: str, workers: int) -> None:
        self._context: Any = multiprocessing.get_context(strategy.start_method)
        self._treat = strategy.before_start, engine
        pipes = [self._context.Pipe() for _ in range(workers)]
        self.channels = [ours for ours, _ in pipes]
        self.processes = []
        self._theirs = [theirs for _, theirs in pipes]
        handed = strategy.handed(engine, url)
        self._arguments = (strategy.in_worker, handed, self._theirs, token)

    def start(self) -> None:
        before_start, engine = self._treat
        before_start(engine)
        # It needs the resource tracker, as the queues of a pool do: timed as part of the start.
        turn = self._context.Value("i", 0)
        self.processes = self._create(len(self.channels), (*self._arguments, turn))
        for channel in self._theirs:
            channel.close()

    def _create(self, workers: int, arguments: tuple[Any, ...]) -> list[BaseProcess]:
        """Start the workers, each of which calls `worker.take` with the arguments."""
        self._pool = self._context.Pool(workers, worker.take, arguments)
        return multiprocessing.active_children()

    def join(self, deadline: float) -> None:
        self._pool.close()
        self._pool.join()

    def kill(self) -> None:
        self._pool.terminate()
        super().kill()


class ExecutorTeam(PoolTeam):
    def __init__(self, strategy: Strategy, engine: Engine, url: str, token: str, workers: int) -> None:
        # The parents of other fleets do not import it, and their forked workers do not inherit it.
        from concurrent.futures import ProcessPoolExecutor

        super().__init__(strategy, engine, url, token, workers)
        self._class = ProcessPoolExecutor

    def _create(self, workers: int, arguments: tuple[Any, ...]) -> list[BaseProcess]:
        self._executor = self._class(workers, self._context, worker.take, arguments)
        for _ in range(workers):
            # A worker is started for each task that none is free for.
            self._executor.submit(int)
        return multiprocessing.active_children()

    def join(self, deadline: float) -> None:
        self._executor.shutdown()

    def kill(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        Team.kill(self)


class CeleryTeam(PoolTeam):
    """Celery's prefork pool, as its worker makes it for Redis and RabbitMQ, which have an event loop.

    The signal in which applications dispose of their engines is the whole life of each of its workers.
    """

    def __init__(self, strategy: Strategy, engine: Engine, url: str, token: str, workers: int) -> None:
        # What `celery worker` has imported and done before it makes the pool; workers inherit it.
        import billiard
        import celery.apps.worker
        from celery.app.trace import setup_worker_optimizations
        from celery.concurrency.prefork import TaskPool
        from celery.signals import worker_process_init

        super().__init__(strategy, engine, url, token, workers)
        app = celery.Celery("fleet", broker="memory://")
        app.loader.init_worker()
        app.log.setup()
        setup_worker_optimizations(app, "fleet")
        self._pool = TaskPool(workers, app=app, initargs=(app, "fleet"), threads=False)
        self._init, self._children = worker_process_init, billiard.active_children

    def _create(self, workers: int, arguments: tuple[Any, ...]) -> list[BaseProcess]:
        def live(**_: Any) -> None:
            worker.take(*arguments)

        self._init.connect(live, weak=False)
        self._pool.start()
        self._init.disconnect(live)
        started: list[BaseProcess] = self._children()
        return started

    def join(self, deadline: float) -> None:
        self._pool.stop()

    def kill(self) -> None:
        # After `stop` there is nothing left to end.
        self._pool.terminate()
        for channel in self.channels:
            channel.close()


STARTERS: dict[str, type[Team]] = {
    "process": Processes,
    "pool": PoolTeam,
    "executor": ExecutorTeam,
    "celery": CeleryTeam,
}
