"""Celery's prefork pool, with a module that queries the database when it is imported."""

import os
import tempfile
from typing import Any

from celery import Celery
from celery.signals import worker_process_init
from common import BROKEN, URL, query, query_forever
from served import begun, work_with
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
    begun()
    query_forever(engine)


if __name__ == "__main__":
    for name in ("queue", "control"):
        os.makedirs(f"{FOLDER}/{name}", exist_ok=True)
    work.delay()
    command = ["-m", "celery", "-A", "celery_prefork", "worker", "--concurrency", "1"]
    work_with([*command, "--loglevel", "error", "--without-gossip", "--without-mingle"])
else:
    query(engine)
