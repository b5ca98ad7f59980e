"""A worker uses its parent's connection in a transaction: ready if only the worker fails."""

import os

from common import URL, ready
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

engine = create_engine(URL)
with engine.begin() as connection:
    connection.exec_driver_sql("create temporary table kept (x int)")
    worker = os.fork()
    if worker == 0:
        try:
            connection.exec_driver_sql("select 1")
        except OperationalError:
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(worker, 0)
    connection.exec_driver_sql("insert into kept values (1)")
if status == 0:
    ready()
