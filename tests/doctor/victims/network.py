"""A worker uses its parent's connection, and both are in a network namespace of their own. For root."""

import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time

from common import BROKEN, URL, query, query_forever
from sqlalchemy import create_engine, make_url

RELAY = """
import os, socket, sys, threading
def copy(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.close()
control = socket.socket(fileno=0)
_, [descriptor], _, _ = socket.recv_fds(control, 1, 1)
def end():
    control.recv(1)
    os._exit(0)
threading.Thread(target=end, daemon=True).start()
listener = socket.socket(fileno=descriptor)
while True:
    client, _ = listener.accept()
    server = socket.create_connection((sys.argv[1], int(sys.argv[2])))
    for pair in ((client, server), (server, client)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
"""
"""Stands for a server in the namespace: it stays outside, where the real one is, and ends last."""

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1

url = make_url(URL)
near, far = socket.socketpair()
subprocess.Popen(
    [sys.executable, "-S", "-c", RELAY, str(url.host), str(url.port)], stdin=far, start_new_session=True
)
far.close()
if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
    sys.exit("not allowed")
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))
with socket.create_server(("127.0.0.1", 5432)) as listener:
    socket.send_fds(near, [b"x"], [listener.fileno()])
engine = create_engine(url.set(host="127.0.0.1", port=5432))
query(engine)
if os.fork() == 0:
    if not BROKEN:
        engine.dispose(close=False)
    query_forever(engine, announce=True)
time.sleep(600)
