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
