"""Celery's prefork pool, with a module that queries the database when it is imported."""

import os
import subprocess
import sys
import tempfile
from typing import Any

from celery import Celery
from celery.signals import worker_process_init
from common import BROKEN, URL, query, query_forever, ready
from sqlalchemy import create_engine

FOLDER = os.environ.setdefault("VICTIM_FOLDER", tempfile.mkdtemp(prefix="victim-"))
engine = create_engine(URL)
app = Celery("celery_prefork", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": f"{FOLDER}/queue",
    "data_folder_out": f"{FOLDER}/queue",
    "control_folder": f"{FOLDER}/control",
}


@worker_process_init.connect
def own_connections(**_: Any) -> None:
    if not BROKEN:
        engine.dispose(close=False)


@app.task(name="work")
def work() -> None:
    query(engine)
    with open(os.environ["VICTIM_READY"], "w") as file:
        file.write("x")
    query_forever(engine)


if __name__ == "__main__":
    for name in ("queue", "control"):
        os.makedirs(f"{FOLDER}/{name}", exist_ok=True)
    work.delay()
    begun, begins = os.pipe()
    command = [sys.executable, "-m", "celery", "-A", "celery_prefork", "worker", "--concurrency", "1"]
    worker = subprocess.Popen(
        [*command, "--loglevel", "error", "--without-gossip", "--without-mingle"],
        env={**os.environ, "VICTIM_READY": f"/proc/{os.getpid()}/fd/{begins}"},
        stdout=subprocess.DEVNULL,
    )
    os.read(begun, 1)
    ready()
    sys.exit(worker.wait())
else:
    query(engine)
