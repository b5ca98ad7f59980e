"""An engine is an argument of a worker, and the program names no start method: what happens?"""

import multiprocessing

from sqlalchemy import create_engine, text

URL = "postgresql+psycopg2://user:password@host/database"


def work(engine):
    engine.dispose(close=False)
    with engine.connect() as connection:
        print(connection.execute(text("select 'a row'")).scalar())


if __name__ == "__main__":
    process = multiprocessing.Process(target=work, args=(create_engine(URL),))
    try:
        process.start()
    except Exception as error:
        print(type(error).__name__)
    else:
        process.join()
