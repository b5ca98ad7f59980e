"""A handler of logging writes over a connection of its own, which forked workers inherit."""

import logging
import os
import time

import psycopg2
from common import BROKEN, URL, ready


class Table(logging.Handler):
    connection = psycopg2.connect(URL.replace("+psycopg2", ""))

    def emit(self, record: logging.LogRecord) -> None:
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute("select %s", (record.getMessage(),))


handler = Table()
logging.getLogger().addHandler(handler)
logging.warning("the parent")
if os.fork() == 0:
    if not BROKEN:
        inherited, handler.connection = handler.connection, psycopg2.connect(URL.replace("+psycopg2", ""))
    ready()
    while True:
        logging.warning("the worker")
        time.sleep(0.02)
time.sleep(600)
