"""A worker is forked while a scoped session has a transaction open, and commits its own row in it."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, text
from sqlalchemy.orm import scoped_session, sessionmaker

engine = create_engine(os.environ["URL"])
Session = scoped_session(sessionmaker(bind=engine))


# broken: sessions
def before_workers_start():
    pass


def in_worker():
    engine.dispose(close=False)


# end


def work():
    in_worker()
    Session.execute(text("insert into open_session values ('worker')"))
    Session.commit()


if __name__ == "__main__":
    with engine.begin() as connection:
        connection.execute(text("drop table if exists open_session; create table open_session (who text)"))
    Session.execute(text("insert into open_session values ('parent')"))
    before_workers_start()
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
    Session.rollback()
    with create_engine(os.environ["URL"]).connect() as connection:
        rows = connection.execute(text("select who from open_session order by 1")).scalars().all()
    print("committed, after the parent's rollback:", *rows)
    sys.exit(0 if rows == ["worker"] else 1)
