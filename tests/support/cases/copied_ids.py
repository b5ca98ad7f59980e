"""Forked workers draw their keys from a generator that was made in the parent."""

import multiprocessing
import os
import random
import sys

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["URL"])
generator = random.Random()


# broken: worker
def initializer():
    pass


# end


def begin():
    engine.dispose(close=False)
    initializer()


def store(_):
    try:
        with engine.begin() as connection:
            connection.execute(text("insert into copied_ids values (:id)"), {"id": generator.getrandbits(62)})
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


if __name__ == "__main__":
    with engine.begin() as connection:
        connection.execute(
            text("drop table if exists copied_ids; create table copied_ids (id bigint unique)")
        )
    errors = []
    for _ in range(2):
        with multiprocessing.get_context("fork").Pool(1, begin) as pool:
            errors += filter(None, pool.map(store, range(3)))
    sys.exit(errors[0] if errors else 0)
