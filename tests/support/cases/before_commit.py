"""A task that was sent within a transaction looks for the row that the transaction has inserted."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

engine = create_engine(os.environ["URL"])


# broken: start
def after_commit(session, start):
    start()


# end


def task(answer):
    with create_engine(os.environ["URL"]).connect() as connection:
        answer.put(connection.execute(text("select state from orders where id = 1")).scalar() or "not found")


if __name__ == "__main__":
    with engine.begin() as connection:
        connection.execute(text("drop table if exists orders; create table orders (id int, state text)"))
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    found = []

    def start():
        context.Process(target=task, args=(answer,)).start()
        found.append(answer.get())

    with Session(engine) as session:
        session.execute(text("insert into orders values (1, 'ordered')"))
        after_commit(session, start)
        session.commit()
    print("the worker found:", *found)
    sys.exit(0 if found == ["ordered"] else 1)
