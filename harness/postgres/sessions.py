"""The sessions that an application has on a server."""

import time

from harness.postgres.server import Server

SETTLE_DEADLINE = 5.0
"""Seconds for the server to end the sessions of clients that have exited."""


def remaining(server: Server, application_name: str) -> int:
    """The number of sessions of an application: 0 as soon as all have ended, else what the deadline left.

    Raises `PoolstartError` if the server does not answer.
    """
    until = time.monotonic() + SETTLE_DEADLINE
    query = "select count(*) from pg_stat_activity where application_name = %s"
    connection = server.connect()
    try:
        while True:
            with connection.cursor() as cursor:
                cursor.execute(query, (application_name,))
                ((count,),) = cursor.fetchall()
            if count == 0 or time.monotonic() > until:
                return int(count)
            time.sleep(0.01)
    finally:
        connection.close()
