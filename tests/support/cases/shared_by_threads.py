"""Two threads with one session, the second of which begins while the first one connects."""

import os
import sys
import threading

from sqlalchemy import create_engine, event, text
from sqlalchemy.orm import sessionmaker

engine = create_engine(os.environ["URL"])
connecting, tried = threading.Event(), threading.Event()


@event.listens_for(engine, "do_connect", once=True)
def wait(*_):
    connecting.set()
    tried.wait(20)


# broken: sessions
session = sessionmaker(engine)()


def work(statement):
    return session.execute(statement).all()


# end


if __name__ == "__main__":
    first = threading.Thread(target=work, args=(text("select 1"),))
    first.start()
    connecting.wait()
    try:
        work(text("select 2"))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        status = 1
    else:
        status = 0
    tried.set()
    first.join()
    sys.exit(status)
