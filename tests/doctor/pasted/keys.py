"""Workers draw their keys from copies of one generator."""

import multiprocessing
import os
import random
import sys

from sqlalchemy import create_engine, text

engine = create_engine(os.environ["VICTIM_URL"])
generator = random.Random()


def draw(_):
    with engine.connect() as connection:
        return connection.execute(text(f"select {generator.getrandbits(31)}")).scalar()


# paste
# end

if __name__ == "__main__":
    generator.random()
    drawn = []
    for _ in range(2):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            drawn += pool.map(draw, [0])
    sys.exit(drawn[0] == drawn[1])
