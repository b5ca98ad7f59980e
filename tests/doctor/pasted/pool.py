"""Workers of a pool use the engine of a session factory of their parent."""

import multiprocessing
import os
import sys

from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

Session = sessionmaker(create_engine(os.environ["VICTIM_URL"]))


def backend(_):
    with Session() as session:
        return session.execute(text("select pg_backend_pid()")).scalar()


# paste
# end

if __name__ == "__main__":
    parent = backend(0)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        sys.exit(parent in pool.map(backend, [1]))
