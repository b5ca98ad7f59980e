"""The parent sets a global in its main part; a spawned worker has the default."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, text

tenant = "default"


# broken: worker
def initializer(value):
    pass


# end


def look(_=None):
    with create_engine(os.environ["URL"]).connect() as connection:
        return connection.execute(text("select :tenant"), {"tenant": tenant}).scalar()


if __name__ == "__main__":
    tenant = "customer"
    with multiprocessing.get_context("spawn").Pool(1, initializer, (tenant,)) as pool:
        (worker,) = pool.map(look, [0])
    print("parent", look(), "worker", worker)
    sys.exit(0 if worker == "customer" else 1)
