"""The sessions that an application has on a server, and those that it could have."""

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

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute(query, (application_name,))
            ((number,),) = cursor.fetchall()
            return int(number)

    with closing(server.connect()) as connection:
        return wait_until(count, SETTLE_DEADLINE, accept=lambda number: number == 0)


def free(server: Server) -> int:
    """The number of sessions that the server gives to ordinary roles, less those that there are.

    Raises `PoolstartError` if the server does not answer.
    """
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select current_setting('max_connections')::int"
            " - current_setting('superuser_reserved_connections')::int"
            # The one that asks is gone in a moment.
            " - (select count(*) from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid())"
        )
        ((number,),) = cursor.fetchall()
        return int(number)
