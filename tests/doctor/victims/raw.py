"""A psycopg2 connection without SQLAlchemy, used by a forked worker."""

import os
import time

import psycopg2
from common import BROKEN, URL, ready


def connect() -> "psycopg2.extensions.connection":
    return psycopg2.connect(URL.replace("+psycopg2", ""))


connection = connect()
if os.fork() == 0:
    if not BROKEN:
        inherited, connection = connection, connect()
    ready()
    while True:
        connection.cursor().execute("select 1")
        time.sleep(0.02)
time.sleep(600)
