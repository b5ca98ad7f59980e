"""Connections are checked out and not given back."""

from harness.fixes import Fix
from harness.lookalikes.lookalike import Lookalike

LOOKALIKE = Lookalike(
    id="leaked_connections",
    title="Connections that are not given back to the pool",
    heading="QueuePool limit of size 5 overflow 10 reached, in a process that was never forked",
    look_at=(
        "engine.pool.status() of the process counts up with each request or task, and it takes a while until"
        " the pool is full: an inherited full pool fails at the first query"
    ),
    description=(
        "A Connection or Session that is not closed keeps its connection checked out until it is garbage."
        " After pool_size + max_overflow of them the next checkout waits 30 seconds and fails. More threads"
        " than the pool has connections have the same effect for as long as they all need one."
    ),
    avoidance=(
        "Open connections and sessions in a with statement, and nowhere else; do not wait for other things,"
        " such as an HTTP request, inside it. If all are given back and there are more threads than"
        " connections, make the pool as large as the threads of a process: pool_size=THREADS,"
        " max_overflow=0."
    ),
    fixes=(
        Fix(
            "Given back at the end of the block, after an error too",
            """\
def work():
    with engine.connect() as connection:
        return connection.execute(text("select 1")).scalar()""",
        ),
    ),
    first=("The garbage collector is trying to clean up non-checked-in connection",),
    also=("QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00",),
    words=(
        "leak",
        "pool exhausted",
        "exhausted",
        "QueuePool limit",
        "session.close",
        "connection.close",
        "non-checked-in",
        "threads",
    ),
    links=("https://docs.sqlalchemy.org/en/20/errors.html#error-3o7r",),
)
