"""The sessions that an application has on a server, and the sessions that are free."""

from contextlib import closing

from harness.postgres.server import Server
from harness.processes.wait import wait_until

SETTLE_DEADLINE = 5.0
"""Seconds for the server to end the sessions of clients that have exited."""


def remaining(server: Server, application_name: str) -> int:
    """The sessions of an application that remain: waits until there are none, or the deadline has passed.

    Raises `PoolstartError` if the server does not answer.
    """
    query = "select count(*) from pg_stat_activity where application_name = %s"

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(query, (application_name,))
            ((number,),) = cursor.fetchall()
            return int(number)

    with closing(server.connect()) as connection:
        return wait_until(count, SETTLE_DEADLINE, accept=lambda number: number == 0)


def free(server: Server) -> int:
    """The number of sessions that the server still has for ordinary roles.

    Raises `PoolstartError` if the server does not answer.
    """
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
            # The session of this query does not count: it is about to end.
            " - (select count(*) from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid())"
        )
        ((number,),) = cursor.fetchall()
        return int(number)
