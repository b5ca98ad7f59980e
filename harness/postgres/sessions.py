"""The sessions that an application has on a server."""

from contextlib import closing

from harness.postgres.server import Server
from harness.processes.wait import wait_until

SETTLE_DEADLINE = 5.0
"""Seconds for the server to end the sessions of clients that have exited."""


def remaining(server: Server, application_name: str) -> int:
    """The number of sessions of an application: 0 as soon as all have ended, else what the deadline left.

    Raises `PoolstartError` if the server does not answer.
    """
    query = "select count(*) from pg_stat_activity where application_name = %s"
    count = 0
    with closing(server.connect()) as connection, connection.cursor() as cursor:

        def all_ended() -> bool:
            nonlocal count
            cursor.execute(query, (application_name,))
            count = int(cursor.fetchall()[0][0])
            return count == 0

        wait_until(all_ended, SETTLE_DEADLINE)
    return count
