"""The default series: the strategies that are parameters of every benchmark.

Their functions (`harness.treatments`) are what a program would contain, written as SQLAlchemy's documentation
recommends: https://docs.sqlalchemy.org/en/20/core/pooling.html (section "Using
Connection Pools with Multiprocessing or os.fork()").
"""

from harness.strategies.strategy import FORKING, POOLING, START_METHODS, Strategy
from harness.treatments import create, dispose_without_closing, keep

CATALOGUE = (
    Strategy(
        id="fork_nodispose",
        title="fork, pool left as it is",
        start_method="fork",
        in_worker=keep,
        shares_connection=True,
        safe=False,
        choose="Never: two processes use one connection, and read each other's answers.",
        docs=FORKING,
    ),
    Strategy(
        id="fork_dispose",
        title="fork, dispose(close=False) in the worker",
        start_method="fork",
        in_worker=dispose_without_closing,
        safe=True,
        docs=FORKING,
        since=(1, 4, 33),
    ),
    Strategy(
        id="forkserver",
        title="forkserver, engine made in the worker",
        start_method="forkserver",
        in_worker=create,
        safe=True,
        choose="When nothing of the parent may be inherited and its modules cannot be preloaded.",
        docs=START_METHODS,
    ),
    Strategy(
        id="forkserver_preload",
        title="forkserver that has imported SQLAlchemy and the driver",
        start_method="forkserver",
        preload=("sqlalchemy", "sqlalchemy.dialects.postgresql.psycopg2", "psycopg2"),
        in_worker=create,
        safe=True,
        docs=START_METHODS,
    ),
    Strategy(
        id="spawn",
        title="spawn, engine made in the worker",
        start_method="spawn",
        in_worker=create,
        safe=True,
        choose="When a preloaded module connects or starts a thread at its import, or for a single worker.",
        docs=START_METHODS,
    ),
    Strategy(
        id="nullpool",
        title="fork, NullPool",
        start_method="fork",
        in_worker=keep,
        pool="NullPool",
        safe=True,
        docs=POOLING + "#switching-pool-implementations",
    ),
)
