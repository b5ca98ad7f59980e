"""The server ends all sessions, as at a restart, between two queries of a program."""

import os
import sys

from sqlalchemy import create_engine, make_url, text

SERVER = make_url(os.environ["URL"])
URL = SERVER.update_query_dict({"application_name": "failover"})

# broken: engine
engine = create_engine(URL)
# end


def query(statement):
    with engine.connect() as connection:
        return connection.execute(text(statement)).scalar()


if __name__ == "__main__":
    query("select 1")
    with create_engine(SERVER).connect() as server:
        server.execute(
            text(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where application_name = 'failover'"
            )
        )
    try:
        query("select 1")
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}")
