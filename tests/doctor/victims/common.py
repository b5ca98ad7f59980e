"""What all victims share: their settings, a query, and the line that says that all is set up."""

from __future__ import annotations

import os
import time
from typing import Any

URL = os.environ["VICTIM_URL"]
VARIANT = os.environ["VICTIM_VARIANT"]
BROKEN = VARIANT == "broken"


def ready(pid: int | str = "") -> None:
    """All is set up. `pid` is the process to look at, if it is not the one that was started."""
    print("ready", pid, flush=True)


def query(engine: Any, sql: str = "select 1") -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(sql)


def query_forever(engine: Any, announce: bool = False) -> None:
    """Query without end; `announce` reports the first one."""
    query(engine)
    if announce:
        ready()
    while True:
        query(engine)
        time.sleep(0.02)
