"""A web application that responds with a row, and the client that retries until the server listens."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from harness.programs.inside.common.database import row

DEADLINE = 60.0
"""Seconds for a server to start listening, and to respond."""

RETRY = 0.002
"""Seconds between attempts to connect; a first row can be late by this much."""

requests = ThreadPoolExecutor(8)

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    answer = json.dumps(row(environ["QUERY_STRING"])).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [answer]


def ask(token: str) -> Callable[[], Any]:
    return requests.submit(get, token).result


def get(token: str) -> Any:
    until = time.monotonic() + DEADLINE
    while True:
        try:
            with opener.open(f"http://127.0.0.1:{os.environ['PORT']}/?{token}", timeout=DEADLINE) as answer:
                return json.load(answer)
        except urllib.error.URLError as error:
            # Nothing listens yet, or the worker is busy (503).
            busy = isinstance(error, urllib.error.HTTPError) and error.code == 503
            refused = isinstance(error.reason, ConnectionRefusedError)
            if not (busy or refused) or time.monotonic() > until:
                raise
            time.sleep(RETRY)
