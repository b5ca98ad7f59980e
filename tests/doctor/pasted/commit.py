"""A worker looks for a row that its parent has not committed yet."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

URL = os.environ["VICTIM_URL"]


def work(answer):
    with create_engine(URL).connect() as connection:
        answer.put(connection.execute(text("select count(*) from pasted_orders")).scalar())


if __name__ == "__main__":
    engine = create_engine(URL)
    with engine.begin() as connection:
        connection.execute(text("drop table if exists pasted_orders; create table pasted_orders (id int)"))
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    with Session(engine) as session:
        session.execute(text("insert into pasted_orders values (1)"))
        # paste
        # end
        context.Process(target=work, args=(answer,)).start()
        found = answer.get()
    sys.exit(found == 0)
