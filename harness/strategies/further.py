"""Further strategies, which are measured only if they are named.

To add one, add an entry to `FURTHER`, with at most one small function in `harness.treatments`.
"""

from harness.strategies.strategy import FORKING, POOLING, ParentConnection, Strategy
from harness.treatments import (
    check_pid_at_checkout,
    collect_no_garbage,
    collect_then_create,
    collect_then_dispose,
    create,
    create_without_pool,
    dispose,
    dispose_before,
    dispose_in_every_child,
    freeze,
    keep,
    make_an_engine_to_inherit,
    sever_in_every_child,
    take_the_url,
)

AT_FORK = "https://docs.python.org/3/library/os.html#os.register_at_fork"
FREEZE = "https://docs.python.org/3/library/gc.html#gc.freeze"
LAZY = "https://docs.sqlalchemy.org/en/20/core/engines.html"
PRE_PING = POOLING + "#disconnect-handling-pessimistic"

FURTHER = (
    Strategy(
        id="fork_dispose_before",
        title="fork, dispose() in the parent right before",
        start_method="fork",
        before_start=dispose_before,
        in_worker=keep,
        parent_connection=ParentConnection.CLOSED,
        safe=True,
        choose="When the worker's code is not yours: nothing is inherited, except connections that are"
        " checked out, and the parent connects again.",
        docs=FORKING,
    ),
    Strategy(
        id="fork_atfork",
        title="fork, dispose(close=False) by os.register_at_fork",
        start_method="fork",
        on_engine=dispose_in_every_child,
        in_worker=keep,
        safe=True,
        choose="When something forks where you cannot add a line to the worker, such as a library. Not under"
        " uWSGI: it runs no at-fork handlers unless it is started with --py-call-uwsgi-fork-hooks; use its"
        " @postfork.",
        docs=AT_FORK,
        since=(1, 4, 33),
    ),
    Strategy(
        id="fork_sever",
        title="fork, inherited sockets replaced by dead ones, by os.register_at_fork",
        start_method="fork",
        on_engine=sever_in_every_child,
        in_worker=keep,
        safe=True,
        docs=AT_FORK,
        since=(1, 4, 33),
    ),
    Strategy(
        id="fork_pidguard",
        title="fork, pool events that compare pids",
        start_method="fork",
        on_engine=check_pid_at_checkout,
        in_worker=keep,
        safe=True,
        choose="When a framework forks without calling your code, and the parent has no threads.",
        docs=FORKING,
        since=(1, 4, 24),
    ),
    Strategy(
        id="fork_engine",
        title="fork, engine made in the worker",
        start_method="fork",
        hand_over=take_the_url,
        in_worker=create,
        safe=True,
        choose="When the worker should use nothing of the parent's engine.",
        docs=FORKING,
    ),
    Strategy(
        id="fork_lazy",
        title="fork, an engine that was never connected",
        start_method="fork",
        hand_over=make_an_engine_to_inherit,
        in_worker=keep,
        safe=True,
        choose="When only workers use the engine: its pool is empty as long as the parent never connects.",
        docs=LAZY,
    ),
    Strategy(
        id="fork_freeze",
        title="fork, gc.freeze() before, dispose(close=False) in the worker",
        start_method="fork",
        early=collect_no_garbage,
        before_start=freeze,
        in_worker=collect_then_dispose,
        safe=True,
        choose="When workers share large data of Python objects: the garbage collector does not copy it.",
        docs=FREEZE,
        since=(1, 4, 33),
    ),
    Strategy(
        id="fork_dispose_close",
        title="fork, plain dispose() in the worker",
        start_method="fork",
        in_worker=dispose,
        parent_connection=ParentConnection.KILLED,
        safe=False,
        choose="Never: it closes the parent's connections, and so ends the parent's sessions.",
        docs=FORKING,
    ),
    Strategy(
        id="fork_preping",
        title="fork, pool left as it is, pool_pre_ping",
        start_method="fork",
        in_worker=keep,
        pre_ping=True,
        shares_connection=True,
        safe=False,
        choose="Never against a shared connection: it answers the ping, and is shared all the same."
        " pool_pre_ping is the fix of another problem, an idle connection that was cut"
        " ([idle_cut](lookalikes.md#idle_cut)).",
        docs=PRE_PING,
    ),
    Strategy(
        id="forkserver_freeze",
        title="forkserver that has imported the driver, and frozen",
        start_method="forkserver",
        preload=("harness.preloaded",),
        in_worker=collect_then_create,
        safe=True,
        choose="When many workers of a fork server live long: what they share of its imports stays shared.",
        docs=FREEZE,
    ),
    Strategy(
        id="spawn_nullpool",
        title="spawn, NullPool",
        start_method="spawn",
        pool="NullPool",
        in_worker=create_without_pool,
        safe=True,
        choose="When isolation matters most and a pooler such as PgBouncer keeps the connections.",
        docs=POOLING + "#switching-pool-implementations",
    ),
)
