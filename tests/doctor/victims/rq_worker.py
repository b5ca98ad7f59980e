"""RQ forks a process for each job from a worker that has imported the application."""

import os
import subprocess
import sys
from typing import Any

from common import BROKEN, URL, query, query_forever
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from rq import Queue, Worker
from served import begun, free_port, work_with
from sqlalchemy import create_engine

engine = create_engine(URL)


class JobWorker(Worker):
    def main_work_horse(self, *arguments: Any) -> None:
        if not BROKEN:
            engine.dispose(close=False)
        super().main_work_horse(*arguments)


def work() -> None:
    query(engine)
    begun()
    query_forever(engine)


if __name__ == "__main__":
    port = free_port()
    redis = Redis(port=port, retry=Retry(ConstantBackoff(0.1), 300))
    server = [os.path.join(os.path.dirname(sys.executable), "redis-server"), "--port", str(port)]
    subprocess.Popen([*server, "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL)
    Queue(connection=redis).enqueue("rq_worker.work", job_timeout=3600)
    command = ["-m", "rq.cli", "worker", "--worker-class", "rq_worker.JobWorker"]
    work_with([*command, "--url", f"redis://127.0.0.1:{port}", "--quiet"])
else:
    query(engine)
