"""A worker uses its parent's connection over a Unix socket, which has no counters."""

import os
import subprocess
import sys
import tempfile
import time

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

RELAY = """
import os, socket, sys, threading
def copy(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.close()
def end():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=end, daemon=True).start()
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("ready", flush=True)
while True:
    client, _ = listener.accept()
    server = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    for pair in ((client, server), (server, client)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""
"""Stands for a server that listens at a Unix socket. It ends after all others of this program."""

url = make_url(URL)
with tempfile.TemporaryDirectory() as directory:
    relay = subprocess.Popen(
        [sys.executable, "-S", "-c", RELAY, f"{directory}/.s.PGSQL.5432", str(url.host), str(url.port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert relay.stdout
    relay.stdout.readline()
    engine = create_engine(f"postgresql+psycopg2://{url.username}@/{url.database}?host={directory}&port=5432")
    query(engine)
    if os.fork() == 0:
        if not BROKEN:
            engine.dispose(close=False)
        query_forever(engine, announce=True)
    time.sleep(600)
